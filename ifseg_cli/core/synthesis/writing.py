"""Artificial images as a safetensors file, for whoever wants to train or look with other tools.

    sides     (n, 2) int32       s_h and s_w of each image
    small.k   (h, w)             the small map of image k, from which the two below are resized
    ids       (n, G, G)          category of each cell: what the encoder reads
    target    (n, T, T)          category of each pixel: what the loss compares with

The metadata entry `ifseg` is a JSON object: seed, layout, num_categories, grid, target_size.
Categories are counted from 0 in the order of the category file, uint8 up to 256 categories, uint16 above.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from ifseg_cli.core.files import write_atomic
from ifseg_cli.core.synthesis.draws import ArtificialImage
from ifseg_cli.core.synthesis.sampler import ArtificialImages


def write_samples(path: Path, sampler: ArtificialImages, images: Sequence[ArtificialImage]) -> None:
    """Write `images`, drawn by `sampler`, to `path`, atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    dtype = np.uint8 if sampler.num_categories <= 256 else np.uint16
    tensors: dict[str, NDArray[Any]] = {"sides": np.array([image.sides for image in images], dtype=np.int32)}
    for index, image in enumerate(images):
        tensors[f"small.{index}"] = np.ascontiguousarray(image.small, dtype=dtype)
    tensors["ids"] = np.stack([image.cells(sampler.grid) for image in images]).astype(dtype, copy=False)
    tensors["target"] = np.stack([image.target(sampler.target_size) for image in images]).astype(dtype, copy=False)
    facts = {
        "seed": sampler.seed,
        "layout": sampler.layout,
        "num_categories": sampler.num_categories,
        "grid": sampler.grid,
        "target_size": sampler.target_size,
    }
    metadata = {"ifseg": json.dumps(facts)}  # one entry: the library writes several in an order that changes
    write_atomic(path, lambda temporary: save_file(tensors, temporary, metadata))
