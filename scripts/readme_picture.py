"""The README's first picture: photographs of the demo, each with the overlay that the demo gave it.

make demo && .venv/bin/python scripts/readme_picture.py
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
SHOWN = ("palace.jpg", "cat.png", "hills.jpg", "coffee.jpg")
HEIGHT, GAP = 250, 8


def pair(name: str) -> Image.Image:
    """A photograph and its overlay with legend, side by side."""
    overlay = ROOT / "demo" / "masks" / "overlays" / f"{Path(name).stem}.jpg"
    parts = [Image.open(path).convert("RGB") for path in (ROOT / "examples" / "photos" / name, overlay)]
    parts = [
        part.resize((round(part.width * HEIGHT / part.height), HEIGHT), Image.Resampling.LANCZOS) for part in parts
    ]
    return beside(parts)


def beside(parts: list[Image.Image]) -> Image.Image:
    """Pictures of one height in a row."""
    row = Image.new("RGB", (sum(part.width + GAP for part in parts) - GAP, HEIGHT), "white")
    left = 0
    for part in parts:
        row.paste(part, (left, 0))
        left += part.width + GAP
    return row


def main() -> None:
    """Write docs/pictures/first.jpg."""
    rows = [pair(name) for name in SHOWN]
    sheet = Image.new("RGB", (max(row.width for row in rows), len(rows) * (HEIGHT + GAP) - GAP), "white")
    for number, row in enumerate(rows):
        sheet.paste(row, (0, number * (HEIGHT + GAP)))
    target = ROOT / "docs" / "pictures" / "first.jpg"
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(target, quality=85)
    print(target)


if __name__ == "__main__":
    main()
