"""The card's picture of edges: a photograph, its masks without refinement, with `pamr` and with `crf`, side by side.

make demo && .venv/bin/python scripts/edges_picture.py        # crf needs ifseg[crf]
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from ifseg_cli import load_model
from ifseg_cli.core.images import lettering
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.prediction.outputs.overlay import blend
from ifseg_cli.core.prediction.outputs.prediction import Prediction
from ifseg_cli.core.recipe import PredictionSettings

ROOT = Path(__file__).resolve().parent.parent
SHOWN = ("palace.jpg", "hills.jpg", "cat.png")
WAYS = ("photograph", "none", "pamr", "crf")
WIDTH, GAP, HEAD = 320, 6, 26  # pixels
INK, PAPER = (28, 28, 30), (255, 255, 255)


def refined(model: Model, way: str) -> PredictionSettings:
    """The model's own settings, but for the refinement."""
    return model.settings.model_copy(update={"refine": way})


def masked(found: Prediction) -> Image.Image:
    """A photograph under its colours."""
    return blend(found.pixels, found.labels, found.colours, (640, 1600))


def main() -> None:
    """Write docs/pictures/edges.jpg."""
    model, rows = load_model(ROOT / "demo" / "model"), list[Image.Image]()
    for name in SHOWN:
        photograph = Image.open(ROOT / "examples" / "photos" / name).convert("RGB")
        height = round(photograph.height * WIDTH / photograph.width)
        row = Image.new("RGB", (len(WAYS) * (WIDTH + GAP) - GAP, height), PAPER)
        for place, way in enumerate(WAYS):
            shown = photograph if way == "photograph" else masked(model.predict(photograph, refined(model, way)))
            row.paste(shown.resize((WIDTH, height), Image.Resampling.LANCZOS), (place * (WIDTH + GAP), 0))
        rows.append(row)
    sheet = Image.new("RGB", (rows[0].width, HEAD + sum(row.height + GAP for row in rows) - GAP), PAPER)
    for place, way in enumerate(WAYS):
        title = way if way == "photograph" else f"--refine {way}"
        lettering.write(sheet, (place * (WIDTH + GAP) + WIDTH / 2, HEAD / 2), title, 15, INK, "mm")
    top = HEAD
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height + GAP
    target = ROOT / "docs" / "pictures" / "edges.jpg"
    sheet.save(target, quality=85)
    print(target)


if __name__ == "__main__":
    main()
