"""Several systems on the same images, side by side: one table, per class too, and what of it is more than noise."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ifseg_cli.core.evaluation.bootstrap import RESAMPLES, Difference, difference
from ifseg_cli.core.evaluation.definitions import find_definition
from ifseg_cli.core.evaluation.markdown import markdown_cell, markdown_table, settings_table
from ifseg_cli.core.evaluation.report import Report, json_number, percent
from ifseg_cli.core.files import write_json, write_text
from ifseg_cli.core.pages.environment import environment

JSON, MARKDOWN, PAGE = "comparison.json", "comparison.md", "comparison.html"


@dataclass(frozen=True)
class Comparison:
    """Reports of several systems on the same images; differences are to the first.

    Attributes:
        reports: one a system.
        differences: for each but the first, its mIoU less the first's, paired over images; None for one image.
    """

    reports: tuple[Report, ...]
    differences: tuple[Difference | None, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The systems."""
        return tuple(report.predictions.name for report in self.reports)

    def numbers(self) -> list[tuple[str, list[float]]]:
        """(number, its value for each system), as fractions."""
        every = [report.numbers() for report in self.reports]
        return [(name, [numbers[name] for numbers in every]) for name in every[0]]

    def classes(self) -> list[tuple[str, float, list[float]]]:
        """(class, its share of the labelled pixels, IoU for each system), in index order."""
        every = [report.rows() for report in self.reports]
        return [(rows[0].name, rows[0].share, [row.iou for row in rows]) for rows in zip(*every, strict=True)]

    def notes(self) -> tuple[str, ...]:
        """What a reader must know beside the table."""
        first = self.reports[0]
        notes = [f"{first.scored} of the {len(first.dataset)} images are in these numbers, the same for every system."]
        notes += [f"{name}: {sentence}" for name, sentence in zip(self.names[1:], self._verdicts(), strict=True)]
        return tuple(notes)

    def _verdicts(self) -> list[str]:
        verdicts: list[str] = []
        for each in self.differences:
            if each is None:
                verdicts.append("one image says nothing about others.")
                continue
            low, high = (f"{100 * bound:+.2f}" for bound in each.interval)
            than = self.names[0]
            verdict = (
                f"{'better' if each.value > 0 else 'worse'} than {than}"
                if each.beyond_noise
                else f"no difference to {than} beyond noise"
            )
            draws = f"{low} to {high} in 95 % of {RESAMPLES:,} draws of images, the same for both"
            verdicts.append(f"mIoU {100 * each.value:+.2f} ({draws}): {verdict}.")
        return verdicts

    def to_json(self, provenance: dict[str, Any]) -> dict[str, Any]:
        """What `comparison.json` holds; nan as null."""
        return {
            "dataset": self.reports[0].dataset.name,
            "definition": self.reports[0].scores.definition,
            "systems": [report.to_json({}) for report in self.reports],
            "names": list(self.names),
            "numbers": {name: list(map(json_number, values)) for name, values in self.numbers()},
            "classes": [
                {"name": name, "share": share, "iou": list(map(json_number, values))}
                for name, share, values in self.classes()
            ],
            "differences_to_first": [None if each is None else asdict(each) for each in self.differences],
            "provenance": provenance,
        }


def compare(reports: list[Report], definition: str) -> Comparison:
    """Put reports on the same images side by side."""
    first, *others = reports
    classes = len(first.dataset.classes)
    differences = tuple(
        difference(each.tally.images, first.tally.images, classes, definition, each.scores.mIoU - first.scores.mIoU)
        for each in others
    )
    return Comparison(tuple(reports), differences)


def write_comparison(comparison: Comparison, out: Path, provenance: dict[str, Any]) -> None:
    """Write `comparison.md`, `comparison.html` and `comparison.json` into `out`.

    Raises:
        OutputError: the folder cannot be written to.
    """
    write_text(out / MARKDOWN, to_markdown(comparison, provenance))
    write_text(out / PAGE, to_page(comparison))
    write_json(out / JSON, comparison.to_json(provenance))


def to_page(comparison: Comparison) -> str:
    """The comparison as a page."""
    first = comparison.reports[0]
    return (
        environment("ifseg_cli.core.evaluation")
        .get_template("comparison.html")
        .render(
            comparison=comparison,
            first=first,
            percent=percent,
            best=_best,
            source=find_definition(first.scores.definition).source,
        )
    )


def _best(values: list[float]) -> float | None:
    """The largest of several values that are not all the same; None where there is none."""
    real = [value for value in values if not math.isnan(value)]
    return max(real) if len(set(real)) > 1 else None


def to_markdown(comparison: Comparison, provenance: dict[str, Any]) -> str:
    """The comparison for people."""
    sentences = comparison.reports[0].sentences
    numbers = [[name, *map(percent, values), sentences[name]] for name, values in comparison.numbers()]
    classes = [[name, percent(share), *map(percent, values)] for name, share, values in comparison.classes()]
    parts = [
        f"# {markdown_cell(' against '.join(comparison.names))}",
        "\n".join(f"- {markdown_cell(note)}" for note in comparison.notes()),
        markdown_table(["in percent", *comparison.names, "what it is"], numbers),
        "## IoU of every class",
        markdown_table(["class", "share of labelled pixels", *comparison.names], classes),
        "## Settings and versions",
        settings_table(provenance),
    ]
    return "\n\n".join(parts) + "\n"
