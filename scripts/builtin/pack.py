"""The base as it ships: half precision, at most 32 MB."""

from __future__ import annotations

from pathlib import Path

import torch

from builtin.pretrain import trained
from ifseg_cli.core.bases.folder import save_folder

LIMIT = 32_000_000  # bytes of the folder
# What encoder and decoder add to the plain scores is damped: on photographs it is surer than right. This number was
# chosen on labelled photographs (docs/log.md), the only one of the base that was.
DAMPING = 0.4


def run(work: Path, folder: Path) -> None:
    """Write `folder`; the card beside the weights is written by hand and stays."""
    base, updates = trained(work)
    norm = base.network.decoder.layer_norm
    norm.weight.data.mul_(DAMPING)
    norm.bias.data.mul_(DAMPING)
    for tensor in base.network.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half())
    save_folder(
        folder, base, provenance={"pretraining_updates": updates, "damping": DAMPING, "torch": torch.__version__}
    )
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size > LIMIT:
        raise SystemExit(f"{folder} has {size:,} bytes, more than {LIMIT:,}")
    print(f"{folder}: {size / 1e6:.1f} MB after {updates} updates")
