"""The built-in base on photographs and scenes: every row of the table, with 95 % intervals over pictures.

    python benchmarks/photographs.py                                     the whole table
    python benchmarks/photographs.py --rows f a b --vocabularies camvid  some of it
    python benchmarks/photographs.py --every 10 --seeds 1                a quick look

Rows
    f         the image-level classifier: its best name painted over the whole picture
    a, b      plain scores, cell . row; smoothed
    c, c'     the base as it ships, with its encoder and decoder, not adapted; smoothed
    d, e      adapted to the vocabulary by the base's own recipe; smoothed: what `ifseg predict` gives
    d-pure, e-pure   the same by the recipe `pure`, the method's own form

d and e are means over seeds of the recipe, with their standard deviation, lowest and highest; the base that ships is
one model, so the other rows have no seed and no spread. Intervals are those of the mean over the seeds, over pictures
drawn with replacement; the lines below a table compare rows on the same draws.

Data: 100 photographs (COCO panoptic, three vocabularies), 12 frames of CamVid, 400 drawn scenes; masks at original
size, sums over all pictures. What the backbone sees is kept in `.work/photographs`, and so is what each model came to,
under a name made from all the code, the base, the recipe and the names: a run that was cut off goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from measuring.numbers import Counts, Floats, Measured, interval
from measuring.options import Setup, parser, positive, progress, run, setup
from measuring.pictures import VOCABULARIES, Task, load_tasks
from measuring.rows import OWN, PURE, ROWS
from measuring.units import Unit, measure, side_by_side

from ifseg_cli.core.files import write_json

PAIRS = (("d", "a"), ("d", "c"), ("d", "d-pure"), ("e", "b"), ("e", "c'"), ("e", "e-pure"))
HEAD = f"{'':34}mIoU [95 % interval]    seeds: sd, range       aAcc [95 % interval]"


def main() -> None:
    given = options().parse_args()
    base = setup(given, given.rows)
    say = progress()
    tasks = [task.every(given.every) for task in load_tasks(given.vocabularies, given.data, given.kept)]
    base.see(tasks, say)
    print(HEAD, flush=True)
    done: list[dict[str, object]] = []
    for task, rows in measured(base, tasks, given, say):
        print("\n".join(table(task, rows, given.classes)), flush=True)
        done.append(as_json(task, rows))
        if given.json:
            write_json(given.json, {**base.about, "vocabularies": done})


def options() -> argparse.ArgumentParser:
    made = parser(__doc__)
    made.set_defaults(seeds=3)
    made.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    made.add_argument("--vocabularies", nargs="+", choices=VOCABULARIES, default=list(VOCABULARIES))
    made.add_argument("--pure-seeds", type=positive, help="seeds of d-pure and e-pure, if not as many")
    made.add_argument("--classes", action="store_true", help="also IoU by name")
    return made


# ---------------------------------------------------------------- work


def units(base: Setup, task: Task, rows: Sequence[str], seeds: dict[str, int]) -> Iterator[Unit]:
    """One model each: the base as it ships for all rows that need no other, and a model a recipe and seed."""
    for recipe in dict.fromkeys(ROWS[row].adapted for row in ROWS):
        wanted = tuple(row for row in ROWS if row in rows and ROWS[row].adapted == recipe)
        for seed in range(seeds[recipe] if recipe else 1):
            if wanted:
                yield base.unit(task, wanted, recipe, seed)


def measured(
    base: Setup, tasks: Sequence[Task], given: argparse.Namespace, say: Callable[[str], None]
) -> Iterator[tuple[Task, dict[str, Measured]]]:
    """Each task with its rows, as soon as all of them are there."""
    seeds = {OWN: given.seeds, PURE: given.pure_seeds or given.seeds}
    every = [unit for task in tasks for unit in units(base, task, given.rows, seeds)]
    runs: dict[Task, dict[str, dict[int, Counts]]] = {task: {} for task in tasks}
    left = {task: sum(unit.task is task for unit in every) for task in tasks}
    for number, (unit, found) in enumerate(side_by_side(measure, every, base.jobs), start=1):
        task, seed = unit.task, unit.recipe.seed if unit.recipe else 0
        for row, counts in found.items():
            runs[task].setdefault(row, {})[seed] = counts
        say(f"{number} of {len(every)}: {unit}")
        left[task] -= 1
        if not left[task]:
            yield task, {row: Measured.of([runs[task][row][s] for s in sorted(runs[task][row])]) for row in given.rows}


# ---------------------------------------------------------------- what is said


def table(task: Task, rows: dict[str, Measured], classes: bool) -> Iterator[str]:
    """The lines of a task."""
    yield f"{task.name}: {len(task.names)} names, {next(iter(rows.values())).pictures} pictures"
    for row, result in rows.items():
        yield f"  {f'({row})':<9}{ROWS[row].title:<23}{numbers(row, result)}"
        for name, iou in zip(task.names, result.iou, strict=True):
            if classes and not np.isnan(iou):
                yield f"           {name:<23}{iou:5.1f}"
    for first, second, mean, (low, high) in differences(rows):
        yield f"  {f'({first}) - ({second})':<32}{mean:+5.1f} [{low:+5.1f}, {high:+5.1f}]"


def numbers(row: str, result: Measured) -> str:
    bounds = interval(result.samples)
    own = [f"{mean:5.1f} [{low:5.1f}, {high:5.1f}]" for mean, low, high in zip(result.mean, *bounds, strict=True)]
    if ROWS[row].adapted is None:
        spread = "0, one model"
    else:
        spread = f"{result.spread[0]:4.2f}, {result.each[:, 0].min():.1f} - {result.each[:, 0].max():.1f}"
    return f"{own[0]}    {spread:<20} {own[1]}"


def differences(rows: dict[str, Measured]) -> Iterator[tuple[str, str, float, Floats]]:
    """How much mIoU a row has over another, and between what (2,); for the pairs that are measured."""
    for first, second in PAIRS:
        if first in rows and second in rows:
            samples = (rows[first].samples - rows[second].samples)[:, 0]
            yield first, second, float(rows[first].mean[0] - rows[second].mean[0]), interval(samples)


def as_json(task: Task, rows: dict[str, Measured]) -> dict[str, object]:
    return {
        "vocabulary": task.name,
        "names": list(task.names),
        "pictures": next(iter(rows.values())).pictures,
        "rows": [row_json(task, row, result) for row, result in rows.items()],
        "differences": [
            {"rows": [first, second], "mIoU": mean, "interval": between.tolist()}
            for first, second, mean, between in differences(rows)
        ],
    }


def row_json(task: Task, row: str, result: Measured) -> dict[str, object]:
    bounds = interval(result.samples)
    each = [{"mIoU": float(miou), "aAcc": float(accuracy)} for miou, accuracy in result.each]
    adapted = ROWS[row].adapted is not None
    return {
        "row": row,
        "title": ROWS[row].title,
        "mIoU": float(result.mean[0]),
        "mIoU_interval": bounds[:, 0].tolist(),
        "mIoU_sd": float(result.spread[0]),
        "aAcc": float(result.mean[1]),
        "aAcc_interval": bounds[:, 1].tolist(),
        "aAcc_sd": float(result.spread[1]),
        "seeds": [{"seed": seed, **values} for seed, values in enumerate(each)] if adapted else [],
        "IoU": {name: None if np.isnan(iou) else float(iou) for name, iou in zip(task.names, result.iou, strict=True)},
    }


if __name__ == "__main__":
    run(main)
