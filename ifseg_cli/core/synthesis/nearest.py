"""Nearest-neighbour resize of a map of integers, equal to torch's to the index.

The method's rule is `floor(i * in / out)`. The published program computes it in float32 (scale first, then times i),
and for some pairs of sizes (none of 1..32 to 32 or 512, but 62 to 448) the rounding of the scale moves an index by
one; so the arithmetic here is float32 too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Rule = Literal["nearest", "nearest-exact"]
IntMap = NDArray[np.integer[Any]]


@lru_cache(maxsize=4096)
def nearest_index(size_in: int, size_out: int, rule: Rule = "nearest") -> NDArray[np.intp]:
    """Source index of each of `size_out` outputs, shape (size_out,), read-only.

    Args:
        size_in: length of the source, at least 1.
        size_out: length of the result, at least 1.
        rule: `nearest`, floor(i * in / out), takes a source at the output's left edge (method, section 3);
            `nearest-exact`, floor((i + 0.5) * in / out), at its middle. Both as `torch.nn.functional.interpolate`,
            the second but for middles that lie on an edge to the last bit.
    """
    scale = np.float32(size_in) / np.float32(size_out)
    shift = np.float32(0.5 if rule == "nearest-exact" else 0.0)
    source = np.floor((np.arange(size_out, dtype=np.float32) + shift) * scale).astype(np.intp)
    index = np.minimum(source, size_in - 1)
    index.flags.writeable = False
    return index


def nearest_resize(values: IntMap, out_h: int, out_w: int, rule: Rule = "nearest") -> IntMap:
    """Resize a map (h, w) to (out_h, out_w), dtype kept.

    Columns first: they are gathered for the few source rows only, and whole rows are then copied.
    """
    h, w = values.shape
    return values[:, nearest_index(w, out_w, rule)][nearest_index(h, out_h, rule)]
