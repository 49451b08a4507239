"""The adaptation loop: draw artificial images, read them back, learn. (docs/method.md, "Adaptation")

The last step is what is kept. The published program keeps the step that does best on labelled validation images, which
is not image-free.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from ifseg_cli.core.adaptation.loss import labelled_pixels, segmentation_loss
from ifseg_cli.core.adaptation.optimiser import PublishedAdamW, learning_rate
from ifseg_cli.core.adaptation.parts import choose_trained
from ifseg_cli.core.adaptation.resume import load_checkpoint, save_checkpoint
from ifseg_cli.core.adaptation.samples import TrainingBatch
from ifseg_cli.core.bases.base import Network
from ifseg_cli.core.errors import RecipeError
from ifseg_cli.core.recipe import Recipe


class Samples(Protocol):
    """A source of training samples; batch number n is a function of n alone."""

    def batch(self, update: int) -> TrainingBatch:
        """The samples of update n = 0, 1, ..."""
        ...


@dataclass(frozen=True)
class Step:
    """What one update was like."""

    number: int  # updates done, from 1
    loss: float
    learning_rate: float
    gradient_norm: float  # before clipping
    seconds: float

    def to_json(self) -> dict[str, float]:
        """One line of `train.jsonl`."""
        return {
            "step": self.number,
            "loss": round(self.loss, 6),
            "learning_rate": self.learning_rate,
            "gradient_norm": round(self.gradient_norm, 6),
            "seconds": round(self.seconds, 4),
        }


@dataclass(frozen=True)
class Saving:
    """Where and as what a run is saved while it goes on."""

    path: Path  # the checkpoint file
    identity: Mapping[str, object]  # what the run is
    resume: bool = False


def adapt(
    network: Network,
    samples: Samples,
    recipe: Recipe,
    on_step: Callable[[Step], None],
    saving: Saving | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> bool:
    """Adapt `network` in place.

    Args:
        network: with its vocabulary set.
        samples: where the batches come from.
        recipe: steps, optimiser, regularisation, seed.
        on_step: called after every update.
        saving: if given, a checkpoint is written every so many updates and when stopped.
        stopped: asked after every update; True ends the run early.

    Returns:
        Whether all steps are done; False if it was stopped.

    Raises:
        RecipeError: the loss is no longer a finite number.
        CheckpointError: the checkpoint to resume from is of another run.
    """
    choose_trained(network, recipe.train)
    network.set_recompute(recipe.plan.recompute or "none")
    network.set_regularisation(recipe.regularisation.dropout, recipe.regularisation.drop_path)
    optimiser = PublishedAdamW((each for _, each in network.trained_parameters()), recipe.optimiser)
    first = 0
    if saving and saving.resume:
        first = load_checkpoint(saving.path, network, optimiser, saving.identity)
    network.train()
    for update in range(first, recipe.optimiser.steps):
        step = train_step(network, samples.batch(update), optimiser, update, recipe.seed, recipe.plan.micro_batch)
        on_step(step)
        done, stop = step.number == recipe.optimiser.steps, stopped()
        # After the last step too: if the model cannot be written, the run is not lost.
        if saving and (done or stop or step.number % recipe.saving.checkpoint_every == 0):
            save_checkpoint(saving.path, network, optimiser, step.number, saving.identity)
        if stop and not done:
            return False
    network.eval()
    return True


def train_step(
    network: Network,
    batch: TrainingBatch,
    optimiser: PublishedAdamW,
    update: int,
    seed: int,
    at_once: int | None = None,
) -> Step:
    """One update: scores, loss, gradients, Adam. Dropout is a function of the seed and the update's number.

    `at_once` samples go through at a time, all if left out; the parts' losses and gradients add up to the batch's.
    """
    begin = time.perf_counter()
    torch.manual_seed((seed << 32) + update)
    value, pixels = 0.0, labelled_pixels(batch.target)
    for part in batch.parts(at_once or len(batch.cells)):
        loss = segmentation_loss(network.scores(part.cells, part.grid), part.grid, part.target, pixels)
        value += loss.item()
        if not math.isfinite(value):
            raise RecipeError(f"the loss is {value} at step {update + 1}", remedy="lower optimiser.learning_rate")
        loss.backward()
    norm = optimiser.step(update)
    rate = learning_rate(update, optimiser.recipe)
    return Step(update + 1, value, rate, float(norm), time.perf_counter() - begin)
