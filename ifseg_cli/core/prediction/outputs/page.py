"""`index.html`: the results as a page that opens from disk, without network or build step.

Names are users' text and may hold anything: Jinja2 escapes them, and paths are quoted for URLs. The page is made from
the manifest, so it shows what is there.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ifseg_cli.core.files import write_text
from ifseg_cli.core.images.classes import read_classes
from ifseg_cli.core.images.colour import hex_colour
from ifseg_cli.core.images.sources import told
from ifseg_cli.core.pages.environment import environment
from ifseg_cli.core.prediction.engine.manifest import Record, read_failures, read_records
from ifseg_cli.core.provenance import read_provenance

PAGE = "index.html"


def write_page(out: Path) -> None:
    """Write the page of a finished output folder, from what lies there.

    Raises:
        DatasetError: its classes.json is missing or broken.
        OutputError: the page cannot be written.
    """
    made = read_provenance(out)
    records = list(read_records(out))
    colours = {each.name: hex_colour(each.colour) for each in read_classes(out) or ()}
    shares = _overall_shares(records)
    found = {name for name, _, _ in shares}
    template = environment("ifseg_cli.core.prediction.outputs").get_template("template.html")
    html = template.render(
        records=records,
        failures=list(read_failures(out)),
        colours=colours,
        shares=shares,
        never=[name for name in colours if name not in found],
        seconds=sum(record.seconds for record in records),
        model=str(made.get("model") or "model"),
        passed_over=told(Counter(made.get("passed_over") or {})),
        version=str(made.get("ifseg") or ""),
    )
    write_text(out / PAGE, html)


def _overall_shares(records: list[Record]) -> list[tuple[str, int, float]]:
    """(name, images, share of all pixels) of every category present, largest first."""
    images, pixels = Counter[str](), Counter[str]()
    for record in records:
        images.update(area.name for area in record.classes)
        pixels.update({area.name: area.pixels for area in record.classes})
    total = sum(record.width * record.height for record in records) or 1
    return [(name, images[name], count / total) for name, count in pixels.most_common()]
