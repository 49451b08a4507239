"""One page over what `make demo` left: each step's command, its picture, its numbers, and where to look further."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape

from ifseg_cli.core.images.colour import hex_colour
from ifseg_cli.core.vocabulary.files import read_categories

HERE = Path(__file__).parent


def results(demo: Path) -> list[dict[str, object]]:
    """The predicted photographs, in the order of the manifest, each with its overlay and its three largest classes."""
    lines = (demo / "masks" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    shown: list[dict[str, object]] = []
    for line in map(json.loads, lines):
        largest = sorted(line["classes"], key=lambda each: -each["share"])[:3]
        names = ", ".join(f"{each['name']} {100 * each['share']:.0f} %" for each in largest)
        shown.append({"name": line["image"], "overlay": f"masks/{line['overlay']}", "classes": names})
    return shown


def main() -> None:
    """Write DEMO/index.html."""
    demo = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
    report = json.loads((demo / "evaluation" / "report.json").read_text(encoding="utf-8"))
    made = json.loads((demo / "model" / "provenance.json").read_text(encoding="utf-8"))
    categories = read_categories(str(HERE / "categories.txt"))
    classes = [each for each in report["classes"] if each["labelled"]]
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=select_autoescape())
    page = environment.get_template("demo_page.html").render(
        results=results(demo),
        numbers=report["numbers"],
        sentences=report["definition"]["sentences"],
        classes=sorted(classes, key=lambda each: -each["iou"]),
        images=report["images"],
        seconds=made["seconds"],
        words=[{"name": each.name, "colour": hex_colour(each.colour or (0, 0, 0))} for each in categories],
    )
    (demo / "index.html").write_text(page, encoding="utf-8")
    print(f"open {demo / 'index.html'}")


if __name__ == "__main__":
    main()
