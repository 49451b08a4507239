"""`report.html` in a browser: sorted by clicks, the matrix tells what lies under the pointer, names are text."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ifseg_cli import evaluate

NAMES = ("sky", "grass", "</script><b>road</b>", "car & 'van'")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    random = np.random.default_rng(0)
    for name in ("images", "labels", "masks", "masks/confidence"):
        (folder / name).mkdir()
    for stem in range(10):
        label = np.kron(random.integers(0, 3, (4, 6)), np.ones((20, 20))).astype(np.uint8)
        wrong = random.random(label.shape) < 0.08 * stem
        mask = np.where(wrong, (label + 1) % 4, label).astype(np.uint8)
        Image.fromarray(np.stack([label * 60] * 3, axis=-1)).save(folder / "images" / f"{stem} #%.jpg")
        Image.fromarray(label).save(folder / "labels" / f"{stem} #%.png")
        Image.fromarray(mask).save(folder / "masks" / f"{stem} #%.png")
    (folder / "cats.txt").write_text("\n".join(NAMES))
    evaluate(
        images=folder / "images",
        labels=folder / "labels",
        classes=str(folder / "cats.txt"),
        predictions=folder / "masks",
        out=folder / "out",
    )
    return folder / "out"


@pytest.fixture(scope="module")
def page(out: Path) -> Iterator[Any]:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: make setup")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        tab = opened.new_page(viewport={"width": 1200, "height": 900})
        tab.errors = []
        tab.on("pageerror", lambda error: tab.errors.append(str(error)))
        tab.on("request", lambda request: request.url.startswith("file:") or tab.errors.append(request.url))
        tab.goto((out / "report.html").as_uri())
        yield tab
        assert tab.errors == []
        opened.close()


def column(page: Any, number: int) -> list[str]:
    return [cell.inner_text().strip() for cell in page.query_selector_all(f"#classes tbody td:nth-child({number})")]


@pytest.mark.browser
def test_a_click_sorts_and_another_turns_round(page: Any) -> None:
    ious = [float(text) for text in column(page, 3)]
    page.click("#classes th:nth-child(3) button")
    assert [float(text) for text in column(page, 3)] == sorted(ious, reverse=True)
    page.click("#classes th:nth-child(3) button")
    assert [float(text) for text in column(page, 3)] == sorted(ious)
    page.click("#classes th:nth-child(1) button")
    assert column(page, 1) == sorted(NAMES, key=str.lower)
    assert page.get_attribute("#classes th:nth-child(1)", "aria-sort") == "ascending"


@pytest.mark.browser
def test_the_matrix_tells_what_lies_under_the_pointer(page: Any, out: Path) -> None:
    box = page.locator("#matrix").bounding_box()
    side = len(NAMES)
    page.mouse.move(box["x"] + 1.5 * box["width"] / (side + 1), box["y"] + 0.5 * box["height"] / side)
    told = page.inner_text("#cell")
    pair = next(
        each
        for each in json.loads((out / "report.json").read_text())["most_confused"]
        if (each["label"], each["mask"]) == ("sky", "grass")
    )
    assert told.startswith(f"{100 * pair['share']:.1f} % of sky is predicted as grass: {pair['pixels']:,} of ")
    page.focus("#matrix")
    page.keyboard.press("ArrowDown")
    assert "of grass is predicted as grass" in page.inner_text("#cell")


@pytest.mark.browser
def test_every_picture_is_there(page: Any) -> None:
    page.evaluate("document.querySelectorAll('img').forEach((image) => image.loading = 'eager')")
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    widths = page.evaluate("[...document.images].map((image) => image.naturalWidth)")
    assert len(widths) == 8 * 4 and min(widths) > 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.browser
def test_names_are_text(page: Any) -> None:
    assert page.query_selector("#classes b") is None
    assert NAMES[2] in column(page, 1)


def test_worst_images_come_first_and_nothing_comes_from_the_network(out: Path) -> None:
    text = (out / "report.html").read_text(encoding="utf-8")
    stems = re.findall(r"<h3>(\d) #%", text)
    assert len(stems) == 8 and stems[0] == "9" and set(stems[:4]) == set("6789") and stems[4] == "0"
    assert not re.search(r"(https?:)?//[a-z]", text)
