"""The base as it ships: half precision, at most 32 MB."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file

from builtin.base import fresh
from builtin.photographs import Source
from builtin.pretrain import OPTIMISER, weights
from ifseg_cli.core.bases.folder import save_folder

LIMIT = 32_000_000  # bytes of the folder


def run(work: Path, sources: Sequence[Source], folder: Path) -> None:
    """Write `folder`; the card beside the weights is written by hand and stays.

    Args:
        work: the work folder.
        sources: the photographs that were learnt from; none: the space alone, with encoder and decoder as they begin.
        folder: where to.
    """
    base = fresh(work, captions=bool(sources))
    provenance: dict[str, object] = {"torch": torch.__version__}
    if sources:
        base.network.load_state_dict(load_file(weights(work)), strict=False)
        provenance |= {"captioned_photographs": {source.photos.stem: _number(work, source) for source in sources}}
        provenance |= {"pretraining_updates": OPTIMISER.steps}
    for tensor in base.network.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half())
    save_folder(folder, base, provenance=provenance)
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size > LIMIT:
        raise SystemExit(f"{folder} has {size:,} bytes, more than {LIMIT:,}")
    print(f"{folder}: {size / 1e6:.1f} MB")


def _number(work: Path, source: Source) -> int:
    names = json.loads((work / "seen" / source.key / "names.json").read_text(encoding="utf-8"))
    return len(names)
