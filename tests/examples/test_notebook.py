"""`examples/notebook.ipynb` runs from top to bottom, and what its cells show are pictures."""

from __future__ import annotations

import ast
import io
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_it_runs_and_shows_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(EXAMPLES / "photos", tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    book = json.loads((EXAMPLES / "notebook.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]
    names: dict[str, object] = {}
    pictures = [shown for cell in cells if (shown := picture_of(run_cell(cell, names))) is not None]
    assert len(pictures) == 3 and all(picture.format == "PNG" and picture.width > 400 for picture in pictures)
    assert {"cat.png", "classes.json", "exports", "index.html"} <= {
        each.name for each in Path("notebook-masks").iterdir()
    }
    assert all(not cell.get("outputs") for cell in book["cells"])  # nobody's results are kept in it


def run_cell(source: str, names: dict[str, object]) -> object:
    """Run a cell as Jupyter does: the value of its last expression is what it shows."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if isinstance(last, ast.Expr) else None


def picture_of(value: object) -> Image.Image | None:
    """What a notebook draws of a value."""
    png = getattr(value, "_repr_png_", None)
    return Image.open(io.BytesIO(png())) if png else None
