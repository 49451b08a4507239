"""What adapting has come to, to look at: a few artificial images that are not trained on, read now and then.

How well they are read says whether the run works; it says nothing about photographs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ifseg_cli.core.adaptation.loss import IGNORE
from ifseg_cli.core.adaptation.samples import ArtificialSamples
from ifseg_cli.core.bases.base import Network
from ifseg_cli.core.synthesis.nearest import IntMap

IMAGES = 8  # read each time, at most
WINDOWS = 20  # of a run: a plateau is told from the means of the loss over them
FLAT = 3  # windows without a fall
FALL = 0.01  # of the best mean so far; less is none
NOISE = 0.05  # of a mean: where means scatter by more, nothing is said


@dataclass(frozen=True, eq=False)
class Look:
    """How the fixed images were read after some steps."""

    step: int
    accuracy: float  # of the cells that can be known
    read: NDArray[np.int64]  # (B, h, w) categories


class Looking:
    """A fixed set of artificial images: the first ones of the seed that a run does not train on.

    Args:
        network: with its vocabulary set.
        samples: what the run trains on.
        steps: of the run.

    Attributes:
        drawn: (B, h, w), the category of each cell.
        looks: all so far.
    """

    def __init__(self, network: Network, samples: ArtificialSamples, steps: int) -> None:
        self.network = network
        batch = samples.batch(steps)
        self._cells, self._grid = batch.cells[:IMAGES], batch.grid
        rows, columns = (_middles(size, side) for size, side in zip(batch.target.shape[1:], batch.grid, strict=True))
        self._truth = batch.target[:IMAGES, rows][:, :, columns].cpu()
        images, first = samples.images, steps * samples.batch_size
        self.drawn: Sequence[IntMap] = [images.sample(first + k).cells(images.grid) for k in range(len(self._cells))]
        self.looks: list[Look] = []

    @torch.no_grad()
    def look(self, step: int) -> Look:
        """Read the images as the network now does; training goes on as if nobody had looked."""
        training = self.network.training
        self.network.eval()
        scores = torch.cat([self.network.scores(one, self._grid).cpu() for one in self._cells.split(1)])
        self.network.train(training)
        read = scores.argmax(-1).unflatten(1, self._grid)
        known = self._truth != IGNORE
        right = ((read == self._truth) & known).sum().item() / max(1, int(known.sum()))
        self.looks.append(Look(step, right, read.numpy()))
        return self.looks[-1]


def _middles(pixels: int, cells: int) -> torch.Tensor:
    """The pixel at the middle of each cell."""
    return ((torch.arange(cells) + 0.5) * pixels / cells).long()


class Plateau:
    """Tells when the loss has stopped falling.

    The run is cut into windows; it lies flat where the means of the last three are not below the best one before them
    by more than a hundredth and by more than they scatter. A short or noisy run is never called flat.

    Args:
        steps: of the run.
        first: steps that an earlier part of the run has done, whose losses are not known here.
    """

    def __init__(self, steps: int, first: int = 0) -> None:
        self.size, self.first = max(5, steps // WINDOWS), first
        self._window: list[float] = []
        self._means: list[float] = []
        self._errors: list[float] = []

    def add(self, loss: float) -> int | None:
        """Note the loss of a step; the number of the step since which it is flat, at the step that shows it."""
        self._window.append(loss)
        if len(self._window) < self.size:
            return None
        spread = float(np.std(self._window)) / math.sqrt(self.size)
        self._means.append(float(np.mean(self._window)))
        self._errors.append(spread)
        self._window = []
        before = self._means[:-FLAT]
        if not before:
            return None
        best = min(before)
        scatter = 2 * self._errors[before.index(best)]
        if scatter > NOISE * abs(best) or min(self._means[-FLAT:]) < best - max(FALL * abs(best), scatter):
            return None
        return self.first + (before.index(best) + 1) * self.size
