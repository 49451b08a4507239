"""A model, a vocabulary and some rows, measured; many of them side by side.

Each unit runs in a process of its own with one thread: two such are faster than one with two, and the numbers do not
depend on how many there are. What a unit came to is kept beside the looks, so a run that was cut off goes on, and rows
that a new recipe does not touch are not measured again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from ifseg_cli.core.adaptation.loop import adapt
from ifseg_cli.core.adaptation.samples import make_samples
from ifseg_cli.core.bases.folder import load_base
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.files import atomic
from ifseg_cli.core.recipe import PredictionSettings, Recipe
from ifseg_cli.core.synthesis.sampler import sampler_for
from ifseg_cli.core.vocabulary.files import categories_from_names
from ifseg_cli.core.vocabulary.vocabulary import build_vocabulary
from measuring.looks import grid_of, kept_at, look, see_all
from measuring.numbers import Counts, count
from measuring.pictures import IGNORED, Picture, Task
from measuring.rows import ROWS, Scorer, winners

CHUNK = 16  # pictures that a process sees before it reports

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Unit:
    """Rows that one model gives."""

    task: Task
    rows: tuple[str, ...]
    recipe: Recipe | None  # to adapt by, its seed set; None: the base as it ships
    smoothing: PredictionSettings
    base: str
    device: torch.device
    looks: Path  # where looks are kept
    results: Path  # where what units came to is kept; named after the code and the base

    @property
    def kept_at(self) -> Path:
        """The file that keeps what this unit came to."""
        task = self.task
        recipe = self.recipe.model_dump_json() if self.recipe else "unadapted"
        pictures = [(picture.group, picture.name) for picture in task.pictures]
        said = repr((task.names, task.of_value.tolist(), pictures, self.rows, recipe, self.smoothing, self.device.type))
        return self.results / f"{hashlib.sha256(said.encode()).hexdigest()[:16]}.npz"

    def __str__(self) -> str:
        seed = f", seed {self.recipe.seed}" if self.recipe else ""
        return f"{self.task.name}, {len(self.task.names)} names: {' '.join(self.rows)}{seed}"


def measure(unit: Unit) -> dict[str, Counts]:
    """What `work_out` finds, or remembered from an earlier run."""
    path = unit.kept_at
    if not path.exists():
        found = work_out(unit)
        with atomic(path) as file:
            np.savez_compressed(file, counts=np.stack([found[row] for row in unit.rows]))
    with np.load(path) as kept:
        return dict(zip(unit.rows, kept["counts"], strict=True))


def work_out(unit: Unit) -> dict[str, Counts]:
    """Counts (pictures, 3, M) of each row; pictures without a counted pixel are left out.

    Raises:
        DatasetError: no picture is left.
    """
    segmenter = prepare(unit)
    found: dict[str, list[tuple[int, Counts]]] = {row: [] for row in unit.rows}
    # By grid: what depends on the grid alone costs as much as the rest, and is remembered from picture to picture.
    pictures = [(grid_of(picture, segmenter), place, picture) for place, picture in enumerate(unit.task.pictures)]
    for _, place, picture in sorted(pictures, key=lambda each: each[:2]):
        for row, counts in measure_picture(unit, segmenter, picture).items():
            found[row].append((place, counts))
    if not all(found.values()):
        raise DatasetError(f"{unit.task.name}: no pixel has one of its names", remedy="take more pictures")
    return {row: np.stack([counts for _, counts in sorted(each, key=lambda e: e[0])]) for row, each in found.items()}


@torch.inference_mode()
def measure_picture(unit: Unit, segmenter: Segmenter, picture: Picture) -> dict[str, Counts]:
    """Counts (3, M) of each row in one picture; none at all if no pixel counts."""
    truth = unit.task.truth(picture)
    if (truth == IGNORED).all():
        return {}
    seen = look(segmenter, picture, unit.looks)
    scores: dict[Scorer, Tensor] = {}  # a smoothed row and its plain one share them
    found: dict[str, Counts] = {}
    for name in unit.rows:
        row = ROWS[name]
        if row.scorer not in scores:
            scores[row.scorer] = row.scorer(segmenter, seen)
        smoothing = unit.smoothing if row.smoothed else None
        winner = winners(scores[row.scorer], seen, smoothing, (truth.shape[0], truth.shape[1]))
        found[name] = count(truth, winner, len(unit.task.names))
    return found


def prepare(unit: Unit) -> Segmenter:
    """The base with the unit's names, adapted if that is wanted."""
    loaded = load_base(unit.base, unit.device)
    segmenter, names = loaded.network, unit.task.names
    categories = categories_from_names(list(names))
    words = build_vocabulary(categories, loaded.reader, unit.task.name)
    segmenter.set_vocabulary(words.prompt_ids, words.piece_ids)
    if unit.recipe is not None:
        usual = loaded.reader.known.heights(names) if loaded.reader.known else None
        images = sampler_for(unit.recipe, loaded.network.pictures, len(names), usual_heights=usual)
        samples = make_samples(segmenter, images, unit.recipe)
        adapt(segmenter, samples, unit.recipe, lambda _: None)
    return segmenter


def see(
    base: str, device: torch.device, tasks: Sequence[Task], folder: Path, jobs: int, say: Callable[[str], None]
) -> None:
    """See every picture of `tasks` that is not kept yet."""
    pictures = dict.fromkeys(picture for task in tasks for picture in task.pictures)
    missing = [picture for picture in pictures if not kept_at(folder, picture).exists()]
    chunks = [missing[begin : begin + CHUNK] for begin in range(0, len(missing), CHUNK)]
    done = 0
    for chunk, _ in side_by_side(partial(see_all, base, device, folder), chunks, jobs):
        done += len(chunk)
        say(f"seen {done} of {len(missing)} pictures")


def side_by_side(function: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> Iterator[tuple[Item, Result]]:
    """Apply `function` to every item in `jobs` processes; pairs come as they are done."""
    if not items:
        return
    with ProcessPoolExecutor(min(jobs, len(items)), get_context("spawn"), one_thread) as pool:
        futures = {pool.submit(function, item): item for item in items}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def one_thread() -> None:
    """Of torch, in this process."""
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
