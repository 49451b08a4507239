"""The course of a run: what is noted while it goes on, and what it took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from ifseg_cli.core.adaptation.film import film
from ifseg_cli.core.adaptation.log import LOG, TrainLog
from ifseg_cli.core.adaptation.looking import Look, Looking, Plateau
from ifseg_cli.core.adaptation.loop import Step
from ifseg_cli.core.device import matmul_rate, peak_memory
from ifseg_cli.core.files import write_atomic

if TYPE_CHECKING:
    from ifseg_cli.core.adaptation.prepare import Run

FILM = "looks.png"


class Course:
    """Notes of the first process: the log, looks at artificial images, a plateau, and where memory ran out.

    Args:
        out: the model folder.
        run: what is carried out.
        first: steps that an earlier part of the run has done.
        on_look: called with this when images were read: before the first step, then as the recipe says.

    Attributes:
        looking: the fixed images; None where the recipe wants no looks.
        flat_since: the step since which the loss has not fallen; None while it falls.
        halved: (step, samples at once from there on).
    """

    def __init__(self, out: Path, run: Run, first: int, on_look: Callable[[Course], None]) -> None:
        self.out, self.run, self.on_look = out, run, on_look
        self.steps, self.every = run.recipe.optimiser.steps, run.recipe.saving.look_every
        self.log = TrainLog(out / LOG, run.recipe.saving.log_every, self.steps, first)
        self.looking = Looking(run.base.network, run.samples, self.steps) if self.every else None
        self.plateau = Plateau(self.steps, first)
        self.flat_since: int | None = None
        self.halved: list[tuple[int, int]] = []
        if first == 0:  # a run that goes on has its own weights only once it has begun
            self._look(0)

    def add(self, step: Step) -> None:
        """Note a step."""
        self.log.add(step)
        self.flat_since = self.flat_since or self.plateau.add(step.loss)
        planned = min(self.run.recipe.plan.micro_batch or step.at_once, self.run.share)
        if step.at_once < (self.halved[-1][1] if self.halved else planned):
            self.halved.append((step.number, step.at_once))
        if self.every and (step.number % self.every == 0 or step.number == self.steps):
            self._look(step.number)

    def _look(self, step: int) -> None:
        if self.looking is None:
            return
        self.looking.look(step)
        vocabulary = self.run.vocabulary
        picture = film(self.looking.drawn, self.looking.looks, vocabulary.names, vocabulary.colours)
        write_atomic(self.out / FILM, picture.save)
        self.on_look(self)

    @property
    def last_look(self) -> Look | None:
        """The latest look; None where there was none."""
        return self.looking.looks[-1] if self.looking and self.looking.looks else None


@dataclass(frozen=True)
class Effort:
    """What a run took."""

    steps_a_second: float
    peak: int  # bytes; 0 where the system does not say
    share_of_floor: (
        float | None
    )  # its arithmetic at the rate of large products, over its time; None: not all is trained


def effort(run: Run, steps: int, seconds: float) -> Effort:
    """What `steps` steps took that lasted `seconds`."""
    network, recipe = run.base.network, run.recipe
    peak, share = peak_memory(network.rows.device), None
    if recipe.train == "all":
        kind = torch.bfloat16 if recipe.plan.precision == "bf16" else torch.float32
        grid = (run.images.grid, run.images.grid)
        least = steps * run.share * network.training_flops(grid) / matmul_rate(network.rows.device, kind)
        share = least / seconds
    return Effort(steps / seconds, peak, share)
