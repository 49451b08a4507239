"""`report.html`: the report as a page that opens from disk, without network, in the style of all pages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from ifseg_cli.core.evaluation.definitions import find_definition
from ifseg_cli.core.evaluation.examples import Example
from ifseg_cli.core.evaluation.report import Report, percent
from ifseg_cli.core.images.colour import RGB, hex_colour
from ifseg_cli.core.pages.environment import environment
from ifseg_cli.core.provenance import lines

SHOWN = 40  # missing images that the page lists; report.json has all


def to_page(
    report: Report,
    provenance: dict[str, Any],
    colours: Sequence[RGB],
    worst: Sequence[Example],
    best: Sequence[Example],
) -> str:
    """The page's HTML.

    Args:
        report: of one system.
        provenance: how it was made.
        colours: one a class.
        worst: images, from the worst on.
        best: images, from the best on.
    """
    template = environment("ifseg_cli.core.evaluation").get_template("report.html")
    return template.render(
        report=report,
        percent=percent,
        source=find_definition(report.scores.definition).source,
        colours=[hex_colour(colour) for colour in colours],
        matrix=_matrix(report),
        bins=report.tally.calibration.bins(),
        groups=[(title, images) for title, images in (("Worst images", worst), ("Best images", best)) if images],
        missing=report.missing[:SHOWN],
        facts=lines(provenance),
    )


def _matrix(report: Report) -> str:
    """Names, and the cells of the confusion matrix that are not 0: [label, mask, pixels]; the last mask is no class.

    JSON that may stand in a script: nothing in it can end one.
    """
    inner = report.confusion.matrix[:-1]
    rows, columns = np.nonzero(inner)
    cells = [[int(row), int(column), int(inner[row, column])] for row, column in zip(rows, columns, strict=True)]
    text = json.dumps({"names": list(report.dataset.classes), "cells": cells}, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
