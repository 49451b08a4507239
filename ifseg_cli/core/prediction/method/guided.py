"""Image-guided up-sampling: the fast guided filter (He and Sun 2015; the filter itself He, Sun and Tang, ECCV 2010).

Within a small window a category's probability is taken as a linear function of colour, q = a . x + b, fitted to the
up-sampled grid (ridge regression). The functions are found on a small picture and up-sampled; the colours they are
applied to are those of the large one, strip by strip, so edges are the picture's own at any size.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ifseg_cli.core.images.decode import Pixels
from ifseg_cli.core.prediction.method.upsample import upsample_rows

CELL = 4  # pixels of a cell of the grid, in the small picture
RADIUS = 4  # pixels: a window is two cells wide
RIDGE = 1e-3  # of colours in 0..1: differences well below its root count as flat


def guided(values: Tensor, picture: Tensor, pixels: Pixels) -> Callable[[slice], Tensor]:
    """Probabilities at full size, on demand.

    Args:
        values: (M, h, w) probabilities on the small picture.
        picture: (3, h, w) the small picture, colours 0..1.
        pixels: (H, W, 3) uint8, the large one.

    Returns:
        A function of a slice of rows: (M, rows, W), 0..1.
    """
    slopes, offsets = linear_functions(values, picture)
    functions = torch.cat([slopes.flatten(0, 1), offsets])
    size, number = (pixels.shape[0], pixels.shape[1]), len(values)

    def rows_of(rows: slice) -> Tensor:
        colours = torch.from_numpy(pixels[rows].copy()).to(values.device).permute(2, 0, 1).float() / 255
        wide = upsample_rows(functions, size, rows)
        found = wide[3 * number :]
        for channel, colour in enumerate(colours):
            found += wide[channel : 3 * number : 3] * colour
        return found.clamp_(0, 1)

    return rows_of


def linear_functions(values: Tensor, picture: Tensor) -> tuple[Tensor, Tensor]:
    """The filter's coefficients: slopes (M, 3, h, w) and offsets (M, h, w), the means of all windows over a pixel."""
    slopes, offsets = fitted(values, picture)
    return _box(slopes), _box(offsets)


def fitted(values: Tensor, picture: Tensor) -> tuple[Tensor, Tensor]:
    """Ridge regression of values (M, h, w) on colours (3, h, w) in the window around every pixel: slopes, offsets."""
    mean, mean_values = _box(picture), _box(values)
    spread = _box(picture[:, None] * picture[None]) - mean[:, None] * mean[None]  # (3, 3, h, w)
    spread += RIDGE * torch.eye(3, device=picture.device)[..., None, None]
    colours = zip(picture, mean, strict=True)
    together = torch.stack([_box(values * each) - mean_values * middle for each, middle in colours], 1)
    slopes = torch.einsum("mihw,ijhw->mjhw", together, _inverse(spread))
    return slopes, mean_values - torch.einsum("mihw,ihw->mhw", slopes, mean)


def _inverse(matrices: Tensor) -> Tensor:
    """(3, 3, h, w) symmetric -> their inverses, by cofactors: for so small ones far quicker than `torch.linalg`."""
    a, b, c = matrices
    adjugate = torch.stack([_cross(b, c), _cross(c, a), _cross(a, b)])
    return adjugate / (a * adjugate[0]).sum(0)


def _cross(left: Tensor, right: Tensor) -> Tensor:
    return torch.linalg.cross(left, right, dim=0)


def _box(values: Tensor) -> Tensor:
    """The mean over a square of 2 RADIUS + 1 pixels a side, of those of them that lie inside: (..., h, w)."""
    flat = values.reshape(1, -1, *values.shape[-2:])
    side = 2 * RADIUS + 1
    rows = avg_pool2d(flat, (side, 1), stride=1, padding=(RADIUS, 0), count_include_pad=False)
    both = avg_pool2d(rows, (1, side), stride=1, padding=(0, RADIUS), count_include_pad=False)
    return both.reshape(values.shape)
