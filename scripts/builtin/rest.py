"""`background`: a row of its own meaning, what claims a cell that no other name claims.

A cell's last coordinate is always CONSTANT, so the row [0, ..., 0; SCORE / CONSTANT] scores SCORE everywhere: a cell
goes to it where every other name scores less. Nothing of ImageNet speaks for it. SCORE was chosen on labelled
photographs (docs/log.md).
"""

from __future__ import annotations

import torch
from torch import Tensor

from ifseg_cli.core.bases.builtin.evidence import CONSTANT

NAME = "background"
ALSO = ("other", "others", "rest", "everything else", "unlabeled", "unlabelled", "void", "nothing")
SCORE = 3.0


def row(dim: int) -> Tensor:
    """Its row (d,)."""
    made = torch.zeros(dim)
    made[-1] = SCORE / CONSTANT
    return made


def entries() -> dict[str, dict[str, object]]:
    """Its lines of `words.json`."""
    plain: dict[str, object] = {"how": "rest", "stuff": True}
    return {NAME: plain} | {name: plain | {"canonical": NAME} for name in ALSO}
