"""The published program's numbers, kept in tests/parity."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

PICTURES = ("img_square", "img_wide", "img_tall", "img_small", "img_eval")


@lru_cache(maxsize=1)
def numbers() -> dict[str, Tensor]:
    return load_file(Path(__file__).parents[1] / "parity" / "io.safetensors")
