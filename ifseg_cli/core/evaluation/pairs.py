"""What stands where in a label and a mask: every pair of values with its number of pixels.

Maps are made of regions, so neighbours are mostly equal: runs of equal pairs are found first, and only the few hundred
different pairs are looked up, joined to classes and added. It is exact for any values, and faster than PNGs decode.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.images.labels import RawIds

Counts = NDArray[np.int64]
_TABLE = 1 << 18  # keys below this are summed in a table, others are sorted


@dataclass(frozen=True)
class Pairs:
    """Different pairs of an image, each (n,) int64, sorted by flag, label and mask."""

    label: Counts  # raw value in the label
    mask: Counts  # raw value in the mask
    flag: Counts  # what the caller marked the pixels with, 0..255
    count: Counts  # pixels


def count_pairs(label: RawIds, mask: RawIds, flags: NDArray[np.uint8] | None = None) -> Pairs:
    """The pairs of a label and a mask of the same size.

    Args:
        label: (H, W) uint8 or uint16.
        mask: (H, W) uint8 or uint16.
        flags: (H, W) uint8; pairs are told apart by it too.
    """
    bits = 8 if label.dtype.itemsize == mask.dtype.itemsize == 1 else 16  # of a value; small keys are faster
    together = label.astype(np.uint16 if bits == 8 else np.uint32)
    together <<= bits
    together |= mask
    together = together.reshape(-1)
    changes = together[1:] != together[:-1]
    if flags is not None:
        marked = flags.reshape(-1)
        changes |= marked[1:] != marked[:-1]
    ends = np.append(np.flatnonzero(changes), together.size - 1)
    keys = together[ends].astype(np.int64)
    if flags is not None:
        keys |= flags.reshape(-1)[ends].astype(np.int64) << 2 * bits
    values, pixels = _sum_by_key(keys, np.diff(ends, prepend=-1))
    highest = (1 << bits) - 1
    return Pairs(values >> bits & highest, values & highest, values >> 2 * bits, pixels)


def _sum_by_key(keys: Counts, counts: Counts) -> tuple[Counts, Counts]:
    """Different keys, ascending, and the sum of the counts of each."""
    if int(keys.max()) < _TABLE:
        sums = np.bincount(keys, weights=counts)
        values = np.flatnonzero(sums)
        return values, sums[values].astype(np.int64)
    values, place = np.unique(keys, return_inverse=True)
    return values, np.bincount(place.reshape(-1), weights=counts).astype(np.int64)
