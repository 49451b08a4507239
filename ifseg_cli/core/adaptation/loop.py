"""The adaptation loop: draw artificial images, read them back, learn. (docs/method.md, "Adaptation")

The last step is what is kept. The published program keeps the step that does best on labelled validation images, which
is not image-free.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from ifseg_cli.core.adaptation.ahead import batches
from ifseg_cli.core.adaptation.loss import labelled_pixels, segmentation_loss
from ifseg_cli.core.adaptation.optimiser import PublishedAdamW, learning_rate
from ifseg_cli.core.adaptation.parts import choose_trained
from ifseg_cli.core.adaptation.processes import ALONE, Processes, require_even
from ifseg_cli.core.adaptation.resume import load_checkpoint, save_checkpoint
from ifseg_cli.core.adaptation.samples import TrainingBatch
from ifseg_cli.core.bases.base import Network
from ifseg_cli.core.errors import DeviceError, RecipeError
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
    at_once: int  # samples that went through at a time, in each process

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
    processes: Processes = ALONE,
) -> bool:
    """Adapt `network` in place.

    Args:
        network: with its vocabulary set.
        samples: where the batches come from.
        recipe: steps, optimiser, regularisation, seed.
        on_step: called after every update.
        saving: if given, a checkpoint is written every so many updates and when stopped.
        stopped: asked after every update; True (in any process) ends the run early.
        processes: those that share the run; the batch is the recipe's for any number of them.

    Returns:
        Whether all steps are done; False if it was stopped.

    Raises:
        RecipeError: the loss is no longer a finite number.
        CheckpointError: the checkpoint to resume from is of another run.
        DeviceError: not even one sample fits into the device's memory.
    """
    require_even(recipe.optimiser.batch_size, processes)
    choose_trained(network, recipe)
    network.set_recompute(recipe.plan.recompute or "none")
    network.set_regularisation(recipe.regularisation.dropout, recipe.regularisation.drop_path)
    optimiser = PublishedAdamW((each for _, each in network.trained_parameters()), recipe.optimiser)
    first = 0
    if saving and saving.resume:
        first = load_checkpoint(saving.path, network, optimiser, saving.identity)
    network.train()
    at_once = recipe.plan.micro_batch
    for update, batch in batches(samples.batch, first, recipe.optimiser.steps, network.rows.device):
        step = train_step(network, batch, optimiser, update, recipe, at_once, processes)
        at_once = step.at_once
        on_step(step)
        done = step.number == recipe.optimiser.steps
        stop = processes.total(float(stopped()), network.rows.device) > 0  # all of them, or none
        # After the last step too: if the model cannot be written, the run is not lost.
        if saving and processes.first and (done or stop or step.number % recipe.saving.checkpoint_every == 0):
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
    recipe: Recipe,
    at_once: int | None = None,
    processes: Processes = ALONE,
) -> Step:
    """One update: scores, loss, gradients, Adam. Dropout is a function of the seed, the update's number and the rank.

    `at_once` samples go through at a time, all if left out; the parts' losses and gradients add up to the batch's.
    Where they do not fit into a GPU's memory, half as many are tried.
    """
    begin = time.perf_counter()
    pixels, mine = labelled_pixels(batch.target), processes.share_of(batch)
    at_once = min(at_once or len(mine.cells), len(mine.cells))
    found = None
    while found is None:
        torch.manual_seed((recipe.seed << 32) + (processes.rank << 24) + update)
        found = leave_gradients(network, mine.parts(at_once), pixels, recipe.plan.precision)
        if found is None:
            optimiser.forget_gradients()
            at_once = _half(at_once)
    value = processes.total(found, network.rows.device)
    if not math.isfinite(value):
        raise RecipeError(f"the loss is {value} at step {update + 1}", remedy="lower optimiser.learning_rate")
    processes.add_up(optimiser.parameters)
    norm = optimiser.step(update)
    rate = learning_rate(update, optimiser.recipe)
    return Step(update + 1, value, rate, float(norm), time.perf_counter() - begin, at_once)


def leave_gradients(
    network: Network, parts: Iterable[TrainingBatch], pixels: int, precision: str | None
) -> float | None:
    """Leave the gradients of some parts of a batch in the network.

    Args:
        network: with its vocabulary set.
        parts: samples that go through together.
        pixels: labelled pixels of the whole batch, over which the loss is the mean.
        precision: of matrix products, `fp32` or `bf16`.

    Returns:
        What the parts add to the batch's loss; None if they do not fit into memory.
    """
    value = torch.zeros((), device=network.rows.device)
    try:
        for part in parts:
            with torch.autocast(network.rows.device.type, torch.bfloat16, enabled=precision == "bf16"):
                scores = network.scores(part.cells, part.grid)
            loss = segmentation_loss(scores, part.grid, part.target, pixels)  # in single precision, as Adam
            loss.backward()
            value += loss.detach()
    except torch.OutOfMemoryError:  # a GPU's; told by returning, since an exception at hand keeps what filled it alive
        return None
    return float(value)


def _half(at_once: int) -> int:
    """Half as many samples, with the memory of the last try given back."""
    if at_once == 1:
        raise DeviceError("one sample does not fit into the memory of the GPU", remedy="say --device cpu, or less grid")
    torch.cuda.empty_cache()
    return (at_once + 1) // 2
