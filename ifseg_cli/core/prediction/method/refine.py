"""Sharper edges: borders between categories move to where the picture changes. (Beyond the paper; its demo has `crf`.)

    pamr     a pixel takes the mean of the neighbours that look like it     (pamr.py)
    guided   each category a linear function of colour, place by place      (guided.py)
    crf      a dense conditional random field                               (crf.py)

Each works on the picture made so small that a cell has as many pixels as it says (`CELL`); `guided` ends at full size,
the others are up-sampled from there. They move borders between the categories that the picture shows without them, and
bring in no other: of 150 names a picture shows ten, and ten are as many times cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ifseg_cli.core.images.decode import Pixels
from ifseg_cli.core.images.masks import IGNORED
from ifseg_cli.core.images.resize import resize
from ifseg_cli.core.prediction.method import crf, guided, pamr
from ifseg_cli.core.prediction.method.upsample import Size, label_map, mean_rows, upsample_rows

Refinement = Literal["pamr", "guided", "crf"]
CELLS: dict[Refinement, int] = {"pamr": pamr.CELL, "guided": guided.CELL, "crf": crf.CELL}


@dataclass(frozen=True)
class Refined:
    """Probabilities of the categories that a picture shows.

    Args:
        rows_of: rows of the picture -> (M', rows, W) probabilities.
        categories: (M',) int64, which they are.
    """

    rows_of: Callable[[slice], Tensor]
    categories: Tensor


def refined(views: Sequence[Tensor], pixels: Pixels, how: Refinement) -> Refined:
    """Refine the answer for one picture.

    Args:
        views: (M, h, w) probabilities each, of the same picture.
        pixels: (H, W, 3) uint8 RGB, the picture.
        how: by what.

    Raises:
        RecipeError: `crf`, and its package is not there.
    """
    size = (pixels.shape[0], pixels.shape[1])
    working = _working(views, size, CELLS[how])
    shown = _shown(views, working)
    values = mean_rows([view[shown] for view in views], working, slice(0, working[0]))
    small = resize(pixels, working)
    if how == "crf":
        found = torch.from_numpy(crf.crf(values.cpu().numpy(), small)).to(values.device)
    else:
        picture = torch.from_numpy(small).to(values.device).permute(2, 0, 1).float() / 255
        if how == "guided":
            return Refined(guided.guided(values, picture, pixels), shown)
        found = pamr.pamr(values, picture)
    return Refined(lambda rows: upsample_rows(found, size, rows), shown)


def _working(views: Sequence[Tensor], size: Size, cell: int) -> Size:
    """The size (height, width) of the small picture: that of the finest grid's cells, never above the picture's own."""
    height, width = max(view.shape[1] for view in views), max(view.shape[2] for view in views)
    return min(size[0], height * cell), min(size[1], width * cell)


def _shown(views: Sequence[Tensor], size: Size) -> Tensor:
    """(M',) int64: the categories that win somewhere."""
    labels = torch.from_numpy(label_map(views, size, are_scores=False).labels).unique()
    return labels[labels != IGNORED].long().to(views[0].device)
