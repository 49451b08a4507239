"""How the cost of adapting grows with categories and grid, and what training less saves; OFA-base, random weights.

    python benchmarks/growth.py [--plot growth.png]     categories 10 to 1,000, grids 16 to 48: seconds, memory, formula
    python benchmarks/growth.py --light                 what is trained, at two grids: seconds, memory, what is saved

A sample at a time, medians of three steps (of one sample; of four with --light), each case in a process of its own
(benchmarks/adapt.py). The formula of time is the arithmetic times the median of seconds a TFLOP; that of memory is the
plan's (`Network.training_bytes`), which `ifseg adapt` tells before it begins.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from adapt import GRID, NAMES, alone, base_size

SCRIPT = Path(__file__).resolve().parent / "adapt.py"
GROWTH = [(names, GRID) for names in (10, 50, 150, 500, 1000)] + [(NAMES, 16), (NAMES, 48)]
LIGHT = [(part, grid) for grid in (32, 16) for part in ("all", "decoder", "positions", "low_rank")]
STEPS = 3
BATCH = 4  # of `--light`: an update of all weights takes a second, which many samples share


def measured(base: str, names: int, grid: int, train: str = "all", batch: int = 1) -> dict[str, Any]:
    case = [base, names, grid, batch, 1, "none", STEPS, train]
    return json.loads(alone(SCRIPT, "--measure", json.dumps(case)))


def growth(base: str, plot: Path | None) -> None:
    """Print the table, and draw it."""
    print("| names | prompt | grid | TFLOP | floor | s a sample | peak GB | formula GB |")
    print("|---|---|---|---|---|---|---|---|")
    rows: list[tuple[int, int, dict[str, Any]]] = []
    for names, grid in GROWTH:
        found = measured(base, names, grid)
        rows.append((names, grid, found))
        cells = [names, found["prompt"], f"{grid} x {grid}", f"{found['flops'] / 1e12:.2f}", f"{found['floor']:.1f}"]
        cells += [f"{found['seconds']:.1f}", f"{found['peak'] / 1e9:.1f}", f"{found['expected'] / 1e9:.1f}"]
        print("| " + " | ".join(map(str, cells)) + " |", flush=True)
    share = statistics.median(found["floor"] / found["seconds"] for *_, found in rows)
    each = statistics.median(found["seconds"] / found["flops"] for *_, found in rows)
    print(f"\nformula: {each * 1e12:.1f} s a TFLOP (median); the floor is {share:.0%} of the time (median)")
    if plot:
        draw(plot, rows, each)


def draw(path: Path, rows: list[tuple[int, int, dict[str, Any]]], each: float) -> None:
    """Seconds and memory as points, the formulas as lines beside them."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for place, (measure, formula, label) in enumerate(
        (("seconds", "flops", "seconds a sample"), ("peak", "expected", "peak of memory, GB"))
    ):
        axes = figure.add_subplot(1, 2, place + 1, xlabel="tokens (prompt and cells)", ylabel=label)
        unit, factor = (1.0, each) if measure == "seconds" else (1e9, 1.0)
        tokens = [found["prompt"] + grid**2 for _, grid, found in rows]
        order = sorted(range(len(rows)), key=tokens.__getitem__)
        line = [factor * rows[i][2][formula] / unit for i in order]
        axes.plot([tokens[i] for i in order], line, color="#999999", label="formula")
        for kind, colour in ((True, "#0b6e99"), (False, "#c2410c")):
            chosen = [i for i, (_, grid, _) in enumerate(rows) if (grid == GRID) == kind]
            name = f"names, {GRID} x {GRID} cells" if kind else f"grid, {NAMES} names"
            points = [rows[i][2][measure] / unit for i in chosen]
            axes.scatter([tokens[i] for i in chosen], points, color=colour, label=name, zorder=3)
            for i, value in zip(chosen, points, strict=True):
                text = str(rows[i][0]) if kind else f"{rows[i][1]}x{rows[i][1]}"
                axes.annotate(text, (tokens[i], value), xytext=(5, -10), textcoords="offset points", fontsize=8)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        if place == 0:
            axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=120)


def light(base: str) -> None:
    """Print what training less saves."""
    print("| trained | grid | parameters | s a sample | peak GB | update MB | samples an hour |")
    print("|---|---|---|---|---|---|---|")
    for train, grid in LIGHT:
        found = measured(base, NAMES, grid, train, BATCH)
        seconds = found["seconds"] / BATCH
        cells = [train, f"{grid} x {grid}", f"{found['trained'] / 1e6:.1f} M", f"{seconds:.2f}"]
        cells += [f"{found['peak'] / 1e9:.1f}", f"{found['trained'] * 4 / 1e6:.0f}", f"{3600 / seconds:,.0f}"]
        print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--light", action="store_true", help="what is trained, instead")
    parser.add_argument("--plot", type=Path, help="a PNG of the growth")
    parser.add_argument("--base", help="a base-size folder that is there; else one is made (1 GB)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        base = given.base or base_size(temporary)
        if given.light:
            light(base)
        else:
            growth(base, given.plot)


if __name__ == "__main__":
    main()
