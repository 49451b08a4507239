"""The files of a report: `report.json` for machines, `report.md` and `report.html` for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ifseg_cli.core.evaluation.examples import write_examples
from ifseg_cli.core.evaluation.markdown import to_markdown
from ifseg_cli.core.evaluation.page import to_page
from ifseg_cli.core.evaluation.report import JSON, Report
from ifseg_cli.core.files import write_json, write_text
from ifseg_cli.core.images.colour import RGB

MARKDOWN, PAGE = "report.md", "report.html"


def write_report(report: Report, out: Path, provenance: dict[str, Any], colours: Sequence[RGB]) -> None:
    """Write a report into `out`, `report.json` last: where it lies, all of it is there.

    Args:
        report: of one system.
        out: the folder.
        provenance: how it was made.
        colours: one a class.

    Raises:
        OutputError: the folder cannot be written to.
    """
    write_text(out / MARKDOWN, to_markdown(report, provenance))
    worst, best = write_examples(report, colours, out)
    write_text(out / PAGE, to_page(report, provenance, colours, worst, best))
    write_json(out / JSON, report.to_json(provenance))
