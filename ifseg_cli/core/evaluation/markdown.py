"""Reports as Markdown: for people, and for where pages cannot go."""

from __future__ import annotations

from typing import Any

from ifseg_cli.core.evaluation.definitions import find_definition
from ifseg_cli.core.evaluation.report import ClassRow, Missing, Report, percent
from ifseg_cli.core.provenance import lines

_RATIOS = ("IoU", "Acc", "Boundary IoU")
SHOWN = 20  # missing masks and classes that report.md lists; report.json has all


def to_markdown(report: Report, provenance: dict[str, Any]) -> str:
    """The report for people."""
    sentences = report.sentences
    source = find_definition(report.scores.definition).source
    parts = [
        f"# Evaluation of {markdown_cell(str(report.predictions.place))}",
        "\n".join(f"- {markdown_cell(note)}" for note in report.notes()),
        f"Definition `{report.scores.definition}` ({source}).",
        markdown_table(
            ["number", "value", "what it is"],
            [[name, percent(value), sentences[name]] for name, value in report.numbers().items()],
        ),
        "## Classes",
        f"{sentences['IoU']} {sentences['Acc']}",
        markdown_table(
            ["index", "id", "class", *_RATIOS, "share of labelled pixels", "labelled", "predicted", "right"],
            [_class_cells(row) for row in report.rows()],
        ),
    ]
    if confused := report.confused():
        parts += ["## Most confused", "\n".join(f"- {markdown_cell(str(each))}" for each in confused)]
    if report.missing:
        parts += ["## Not in the numbers", _missing_list(report.missing)]
    parts += ["## Settings and versions", settings_table(provenance)]
    return "\n\n".join(parts) + "\n"


def _class_cells(row: ClassRow) -> list[str]:
    ratios = [percent(row.iou), percent(row.acc), percent(row.boundary_iou), percent(row.share)]
    counts = [f"{number:,}" for number in (row.labelled, row.predicted, row.right)]
    return [str(row.index), str(row.raw_id), row.name, *ratios, *counts]


def settings_table(provenance: dict[str, Any]) -> str:
    """Provenance as a table."""
    return markdown_table(["what", "value"], [list(line) for line in lines(provenance)])


def _missing_list(missing: tuple[Missing, ...]) -> str:
    lines = [f"- {markdown_cell(each.stem)}: {markdown_cell(each.reason)}" for each in missing[:SHOWN]]
    if len(missing) > SHOWN:
        lines.append(f"- and {len(missing) - SHOWN} more, all in report.json")
    return "\n".join(lines)


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """A table of user text."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(markdown_cell(cell) for cell in line) + " |" for line in lines)


def markdown_cell(text: str) -> str:
    """User text that cannot break a table or a line, or begin markup."""
    return "".join("\\" + letter if letter in "\\|<>*_`[]" else letter for letter in " ".join(text.split()))
