"""How mIoU falls with the number of names: the built-in base on 100 photographs, with 5 names to all of them.

    python benchmarks/names.py                      5, 10, 20, 50 and all names, 5 draws each
    python benchmarks/names.py --every 10 --seeds 1 --counts 5 20
    python benchmarks/names.py --plot               also docs/pictures/names.png

Draw s of n names: the first n, in a random order of seed s, of those names of COCO's 133 that at least one pixel of
these photographs has (119). Nothing is preferred, so most are rare; draws of one seed hold one another. The last number
takes every name the masks' list has (129 of COCO's 133 are in it), with those that no pixel has. Pixels of other names
are ignored, and pictures without a counted pixel are left out: with few names most of a picture does not count.
Adapted is by the base's own recipe with seed s, once a draw. Means and standard deviations are over the draws.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measuring.numbers import Counts, Floats, figures
from measuring.options import ROOT, Setup, parser, progress, run, setup
from measuring.pictures import Task, load_tasks
from measuring.rows import OWN, ROWS
from measuring.units import Unit, measure, side_by_side

from ifseg_cli.core.files import write_atomic, write_json

COUNTS = (5, 10, 20, 50, 133)
CURVES = ("a", "b", "d", "e")
LINES = {"a": "C0o:", "b": "C0s-", "d": "C1^:", "e": "C1D-"}  # dotted: not smoothed; each has a marker of its own


@dataclass(frozen=True, eq=False)
class Draw:
    """What one draw of names came to."""

    seed: int
    names: tuple[str, ...]
    pictures: int
    rows: dict[str, Floats]  # row -> (2,), mIoU and accuracy in percent

    @classmethod
    def of(cls, unit: Unit, found: dict[str, Counts]) -> Draw:
        assert unit.recipe is not None
        rows = {row: figures(counts.sum(0)) for row, counts in found.items()}
        return cls(unit.recipe.seed, unit.task.names, len(found[CURVES[0]]), rows)


Curve = dict[int, list[Draw]]  # number of names -> its draws, by seed


def main() -> None:
    given = options().parse_args()
    base = setup(given, list(CURVES))
    say = progress()
    (whole,) = load_tasks(["all"], given.data, given.kept)
    whole = whole.every(given.every)
    base.see([whole], say)
    work = list(units(base, whole, given.counts, given.seeds))
    draws: list[Draw] = []
    for number, (unit, found) in enumerate(side_by_side(measure, work, base.jobs), start=1):
        say(f"{number} of {len(work)}: {unit}")
        draws.append(Draw.of(unit, found))
    curve = by_count(draws)
    print("\n".join(table(curve)))
    if given.json:
        write_json(given.json, as_json(base, curve))
    if given.plot:
        plot(curve, given.plot)


def options() -> argparse.ArgumentParser:
    made = parser(__doc__)
    made.set_defaults(seeds=5)
    made.add_argument("--counts", nargs="+", type=int, default=list(COUNTS), help="numbers of names")
    made.add_argument(
        "--plot", type=Path, nargs="?", const=ROOT / "docs" / "pictures" / "names.png", help="draw the curves there"
    )
    return made


# ---------------------------------------------------------------- work


def units(base: Setup, whole: Task, counts: Sequence[int], seeds: int) -> Iterator[Unit]:
    """A unit for each number of names and seed; a number that the pictures do not have is left out, and said so."""
    there = whole.occurring()
    for count in counts:
        if not 1 <= count <= len(there) and count < len(whole.names):
            print(f"{count} names: left out, {len(there)} of the {len(whole.names)} have pixels", file=sys.stderr)
            continue
        for seed in range(seeds):
            yield base.unit(whole.only(drawn(count, seed, there, len(whole.names))), CURVES, OWN, seed)


def drawn(count: int, seed: int, there: Sequence[int], names: int) -> list[int]:
    """Indices of `count` of the names that are `there`, in the vocabulary's order; of all `names` if that is fewer."""
    if count >= names:
        return list(range(names))
    return sorted(np.random.default_rng(seed).permutation(np.array(there))[:count].tolist())


def by_count(draws: Sequence[Draw]) -> Curve:
    """Draws by their number of names and their seed, whatever order they come in."""
    counts = sorted({len(draw.names) for draw in draws})
    ordered = sorted(draws, key=lambda draw: draw.seed)
    return {count: [draw for draw in ordered if len(draw.names) == count] for count in counts}


def spread(draws: Sequence[Draw], row: str) -> tuple[Floats, Floats]:
    """Mean and standard deviation over draws: (2,) each, of mIoU and accuracy."""
    values = np.stack([draw.rows[row] for draw in draws])
    return values.mean(0), values.std(0, ddof=1) if len(values) > 1 else np.zeros(2)


# ---------------------------------------------------------------- what is said


def table(curve: Curve) -> Iterator[str]:
    """mIoU, mean and standard deviation over the draws, and what adaptation adds, draw by draw."""
    yield "names draws pictures" + "".join(f"  {ROWS[row].title:<16}" for row in CURVES) + "  (e) - (b)"
    for count, draws in curve.items():
        pictures = np.mean([draw.pictures for draw in draws])
        cells = (f"  {mean[0]:5.1f} +- {sd[0]:4.1f}   " for mean, sd in (spread(draws, row) for row in CURVES))
        gains = np.array([draw.rows["e"][0] - draw.rows["b"][0] for draw in draws])
        wins = f"{gains.mean():+5.1f}, up in {(gains > 0).sum()} of {len(gains)}"
        yield f"{count:5} {len(draws):5} {pictures:8.1f}" + "".join(cells) + f" {wins}"


def as_json(base: Setup, curve: Curve) -> dict[str, object]:
    means: list[dict[str, object]] = []
    for count, draws in curve.items():
        for row in CURVES:
            mean, sd = (each.tolist() for each in spread(draws, row))
            means.append(
                {"names": count, "row": row, "mIoU": mean[0], "mIoU_sd": sd[0], "aAcc": mean[1], "aAcc_sd": sd[1]}
            )
    draws = [
        {
            "names": list(draw.names),
            "seed": draw.seed,
            "pictures": draw.pictures,
            "rows": {row: {"mIoU": float(values[0]), "aAcc": float(values[1])} for row, values in draw.rows.items()},
        }
        for each in curve.values()
        for draw in each
    ]
    return {**base.about, "curve": means, "draws": draws}


def plot(curve: Curve, path: Path) -> None:
    """The curves as a picture; bars are standard deviations over draws."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.subplots()
    counts = np.array(list(curve))
    for place, row in enumerate(CURVES):
        values = [spread(draws, row) for draws in curve.values()]
        means, deviations = [mean[0] for mean, _ in values], [sd[0] for _, sd in values]
        aside = counts * 1.015 ** (place - 1.5)  # or the bars would hide one another
        axes.errorbar(aside, means, deviations, fmt=LINES[row], capsize=3, markersize=5, label=ROWS[row].title)
    axes.set_xscale("log")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set(xlabel="names", ylabel="mIoU, %")
    axes.grid(alpha=0.3)
    axes.legend()
    write_atomic(path, lambda temporary: figure.savefig(temporary, dpi=120))


if __name__ == "__main__":
    run(main)
