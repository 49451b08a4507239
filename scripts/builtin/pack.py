"""The base as it ships: half precision, at most 32 MB."""

from __future__ import annotations

from pathlib import Path

import torch

from builtin.pretrain import trained
from ifseg_cli.core.checkpoint.folder import save_folder

LIMIT = 32_000_000  # bytes of the folder


def run(work: Path, folder: Path) -> None:
    """Write `folder`; the card beside the weights is written by hand and stays."""
    base, updates = trained(work)
    for tensor in base.segmenter.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half())
    save_folder(folder, base, provenance={"pretraining_updates": updates, "torch": torch.__version__})
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size > LIMIT:
        raise SystemExit(f"{folder} has {size:,} bytes, more than {LIMIT:,}")
    print(f"{folder}: {size / 1e6:.1f} MB after {updates} updates")
