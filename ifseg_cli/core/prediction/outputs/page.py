"""`index.html`: the results as a page that opens from disk, without network or build step, for ten pictures or 10,000.

The page carries one short row a picture; its script (`gallery.js`) makes the cards that are in sight, and no others,
and fetches what they show. Names are users' text and may hold anything: Jinja2 escapes them, and the rows' JSON holds
no `<`. The page is made from the manifest, so it shows what is there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from ifseg_cli.core.files import write_text
from ifseg_cli.core.images.classes import MaskClass, read_classes
from ifseg_cli.core.images.colour import hex_colour
from ifseg_cli.core.images.sources import told
from ifseg_cli.core.pages.environment import environment, readable, url
from ifseg_cli.core.prediction.engine.manifest import Record, read_failures, read_records
from ifseg_cli.core.provenance import read_provenance

PAGE = "index.html"
MOST = 50_000  # pictures that a page shows; the first ones of more
FAILURES = 1_000  # failures that it lists


def write_page(out: Path) -> None:
    """Write the page of a finished output folder, from what lies there.

    Raises:
        DatasetError: its classes.json is missing or broken.
        OutputError: the page cannot be written.
    """
    made, classes = read_provenance(out), read_classes(out) or ()
    totals = _Totals(classes)
    rows = list(totals.rows(read_records(out)))
    failures = list(islice(read_failures(out), FAILURES + 1))
    template = environment("ifseg_cli.core.prediction.outputs").get_template("template.html")
    html = template.render(
        pictures=totals.pictures,
        shown=len(rows),
        found=len(totals.images),
        classes=totals.sorted(),
        colours=_colours(classes),
        never=[each.name for each in classes if not totals.images[each.name]],
        failures=failures[:FAILURES],
        more_failures=len(failures) > FAILURES,
        seconds=totals.seconds,
        model=str(made.get("model") or "model"),
        passed_over=told(Counter(made.get("passed_over") or {})),
        version=str(made.get("ifseg") or ""),
        data=_json({"names": [each.name for each in classes], "colours": _colours(classes), "pictures": rows}),
    )
    write_text(out / PAGE, html)


class _Totals:
    """What is told of all pictures together, counted while their rows are made."""

    def __init__(self, classes: Sequence[MaskClass]) -> None:
        self.classes, self.index = classes, {each.name: i for i, each in enumerate(classes)}
        self.pictures, self.all_pixels, self.seconds = 0, 0, 0.0
        self.images, self.pixels = Counter[str](), Counter[str]()

    def rows(self, records: Iterator[Record]) -> Iterator[list[object]]:
        """A row a picture, of the first `MOST`; all are counted."""
        for record in records:
            self.pictures += 1
            self.all_pixels += record.width * record.height
            self.seconds += record.seconds
            self.images.update(area.name for area in record.classes)
            self.pixels.update({area.name: area.pixels for area in record.classes})
            if self.pictures <= MOST:
                yield self._row(record)

    def _row(self, record: Record) -> list[object]:
        """name, address without suffix, width, height, confidence, seconds, [index, share, ...], remarks"""
        areas = [number for area in record.classes for number in (self.index[area.name], round(area.share, 5))]
        remarks = [*record.notes, *([f"first of {record.frames} frames"] if record.frames > 1 else [])]
        address = url(record.mask.removesuffix(".png"))
        size = (record.width, record.height)
        return [readable(record.image), address, *size, round(record.confidence, 3), record.seconds, areas, remarks]

    def sorted(self) -> list[tuple[int, MaskClass, int, float]]:
        """(index, category, images, share of all pixels) of every category present, largest first."""
        present = sorted(self.pixels, key=lambda name: -self.pixels[name])
        numbers = ((self.images[name], self.pixels[name] / max(1, self.all_pixels)) for name in present)
        return [
            (self.index[name], self.classes[self.index[name]], *both)
            for name, both in zip(present, numbers, strict=True)
        ]


def _colours(classes: Sequence[MaskClass]) -> list[str]:
    return [hex_colour(each.colour) for each in classes]


def _json(value: object) -> str:
    """JSON that may stand in a script of a page: nothing in it ends one."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
