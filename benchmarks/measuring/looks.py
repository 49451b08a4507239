"""What the base sees in a picture, kept on disk: a second run begins with the words.

Kept are the cells in half precision, and which cells look alike; not the features these were found by, which are larger
than all else. (28 x 37 cells of 320: 0.7 MB a picture.) The folder is named after everything that what is seen depends
on: weights of the backbone and of `image_proj`, sizes of pictures, and the code between. Folders of bases that are gone
can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ifseg_cli.core.bases.builtin import efficientnet, evidence, network
from ifseg_cli.core.bases.builtin.efficientnet import Features
from ifseg_cli.core.bases.builtin.evidence import EvidenceProjection
from ifseg_cli.core.bases.folder import load_base
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.errors import CheckpointError
from ifseg_cli.core.files import write_atomic
from ifseg_cli.core.images import resize as resizing
from ifseg_cli.core.images.resize import normalise, resize, target_size
from ifseg_cli.core.prediction.method import smoothing
from ifseg_cli.core.prediction.method.smoothing import nearest_cells
from measuring.pictures import Picture

NEIGHBOURS = 16  # cells kept for each cell, most similar first; a recipe's `neighbours` takes the first of them
CODE = (network, efficientnet, evidence, resizing, smoothing)


@dataclass(frozen=True, eq=False)
class Look:
    """What the base sees in one picture."""

    cells: Tensor  # (1, N, d)
    neighbours: Tensor  # (1, N, K) int64, the most similar cells first
    grid: tuple[int, int]  # (h, w), N = h * w
    painted: Tensor  # (1, 1, d): the picture as one cell, without texture


def grid_of(picture: Picture, segmenter: Segmenter) -> tuple[int, int]:
    """The grid a picture will have, from its size alone."""
    with Image.open(picture.path) as image:
        width, height = image.size
    sides = target_size(height, width, segmenter.config.short_side, segmenter.config.long_side)
    return -(-sides[0] // 16), -(-sides[1] // 16)


def kept_at(folder: Path, picture: Picture) -> Path:
    """The file that keeps the look of a picture."""
    return folder / picture.group / f"{picture.name}.pt"


@torch.inference_mode()
def look(segmenter: Segmenter, picture: Picture, folder: Path) -> Look:
    """See a picture, or remember what was seen in it."""
    path = kept_at(folder, picture)
    if not path.exists():
        kept = _see(segmenter, picture)
        write_atomic(path, lambda temporary: torch.save(kept, temporary))
    kept = torch.load(path, weights_only=True)
    height, width = kept["grid"]
    device = segmenter.rows.device
    cells, neighbours = kept["cells"].to(device).float(), kept["neighbours"].to(device).long()
    return Look(cells, neighbours, (height, width), kept["painted"].to(device))


def _see(segmenter: Segmenter, picture: Picture) -> dict[str, Tensor | tuple[int, int]]:
    config, projection = segmenter.config, projection_of(segmenter)
    pixels = np.asarray(Image.open(picture.path).convert("RGB"))
    size = target_size(pixels.shape[0], pixels.shape[1], config.short_side, config.long_side)
    images = normalise(resize(pixels, size), config.image_mean, config.image_std)
    features = segmenter.backbone(images.to(segmenter.rows.device))
    seen = segmenter.image_proj(features)
    head, mid = (each.mean((2, 3), keepdim=True) for each in features)
    z, q = projection.evidence(Features(head, mid))
    return {
        "cells": seen.cells.half().cpu(),
        "neighbours": nearest_cells(seen.similarity, NEIGHBOURS).int().cpu(),
        "grid": seen.grid,
        "painted": projection.cells(z, torch.zeros_like(q)).cpu(),
    }


def projection_of(segmenter: Segmenter) -> EvidenceProjection:
    """The base's `image_proj`.

    Raises:
        CheckpointError: the base is not of the built-in kind.
    """
    if not isinstance(segmenter.image_proj, EvidenceProjection):
        raise CheckpointError("a base with another backbone", "one that scripts/make_builtin.py made")
    return segmenter.image_proj


def see_all(base: str, device: torch.device, folder: Path, pictures: Sequence[Picture]) -> None:
    """See pictures, for later."""
    segmenter = load_base(base, device).network
    for picture in pictures:
        look(segmenter, picture, folder)


def key(segmenter: Segmenter) -> str:
    """Of everything that what is seen depends on: 16 hexadecimal digits."""
    config = segmenter.config
    digest = hashlib.sha256()
    for part in (segmenter.backbone, projection_of(segmenter)):
        _update(digest, part)
    digest.update(repr((config.short_side, config.long_side, config.image_mean, config.image_std)).encode())
    for module in CODE:
        digest.update(inspect.getsource(module).encode())
    return digest.hexdigest()[:16]


def _update(digest: hashlib._Hash, part: nn.Module) -> None:  # pyright: ignore[reportPrivateUsage]
    for name, tensor in part.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
