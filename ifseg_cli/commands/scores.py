"""How the numbers of `ifseg evaluate` look on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ifseg_cli.commands import console
from ifseg_cli.core.evaluation.compare import PAGE as COMPARISON
from ifseg_cli.core.evaluation.compare import Comparison
from ifseg_cli.core.evaluation.report import Report, percent
from ifseg_cli.core.evaluation.run import Evaluated
from ifseg_cli.core.evaluation.writing import PAGE

if TYPE_CHECKING:
    from rich.console import Console

BAR = 10  # characters of a full bar
SHOWN = 10  # missing images listed


def show(evaluated: Evaluated, out: Path, to: Console) -> None:
    """The tables of a run, then which images are missing and where the files are."""
    if evaluated.comparison is not None:
        _show_comparison(evaluated.comparison, to)
    else:
        _show_report(evaluated.report, to)
    _warn_of_missing(evaluated.report, out)
    written = out / (PAGE if evaluated.comparison is None else COMPARISON)
    console.err.print(f"report: {written}", markup=False, soft_wrap=True)


def _show_report(report: Report, to: Console) -> None:
    """The table of classes and the summary with its definitions, then what a reader must know."""
    right = {"justify": "right", "no_wrap": True}
    columns = [
        "class",
        ("id", right),
        ("IoU %", right),
        ("Acc %", right),
        ("pixels %", right),
        ("IoU", {"no_wrap": True}),
    ]
    rows = [
        [row.name, str(row.raw_id), percent(row.iou), percent(row.acc), percent(row.share), _bar(row.iou)]
        for row in report.rows()
    ]
    to.print(console.table(None, columns, rows))
    to.print()
    numbers = [[name, percent(value), report.sentences[name]] for name, value in report.numbers().items()]
    title = f"in percent, definition {report.scores.definition}"
    to.print(console.table(title, ["", ("", right), ""], numbers))
    to.print()
    for note in report.notes():
        to.print(note, markup=False)


def _show_comparison(comparison: Comparison, to: Console) -> None:
    """IoU of every class and the numbers, a column a system, then which differences are more than noise."""
    right = {"justify": "right", "no_wrap": True}
    columns = [(name, right) for name in comparison.names]
    classes = [[name, percent(share), *map(percent, values)] for name, share, values in comparison.classes()]
    to.print(console.table("IoU in percent", ["class", ("pixels %", right), *columns], classes))
    to.print()
    numbers = [[name, *map(percent, values)] for name, values in comparison.numbers()]
    title = f"in percent, definition {comparison.reports[0].scores.definition}"
    to.print(console.table(title, ["", *columns], numbers))
    to.print()
    for note in comparison.notes():
        to.print(note, markup=False)


def _warn_of_missing(report: Report, out: Path) -> None:
    """The images that are not in the numbers."""
    for missing in report.missing[:SHOWN]:
        console.say_warning(f"not in the numbers: {missing.stem}: {missing.reason}")
    if len(report.missing) > SHOWN:
        console.say_warning(f"and {len(report.missing) - SHOWN} more, all in {out / 'report.json'}")


def _bar(value: float) -> str:
    """A fraction as text, ten characters wide; a dash where there is none."""
    if value != value:
        return "-"
    full = round(BAR * value)
    return "█" * full + "·" * (BAR - full)
