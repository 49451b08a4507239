"""The page in a browser: ten pictures, ten thousand; clicks, keys, slider, filters, what lies under the pointer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny import NAMES

from ifseg_cli.core.images.search import find_images
from ifseg_cli.core.prediction.engine.manifest import Record, read_records
from ifseg_cli.core.prediction.engine.pipeline import predict_images
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.prediction.outputs.page import write_page
from ifseg_cli.core.recipe import PredictionSettings

pytestmark = pytest.mark.browser
MANY = 10_000


@pytest.fixture(scope="module")
def out(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten pictures of noise, one failure."""
    folder = tmp_path_factory.mktemp("gallery")
    (folder / "in").mkdir()
    for i in range(10):
        small = np.random.default_rng(i).integers(0, 256, (5, 6, 3), dtype=np.uint8)
        name = ("<b>0 #%.png", "b c.png")[i] if i < 2 else f"{i}.png"
        Image.fromarray(small).resize((120, 96), Image.Resampling.NEAREST).save(folder / "in" / name)
    (folder / "in" / "bad.png").write_bytes(b"no picture")
    settings = PredictionSettings(smoothing_iterations=0, threshold=0.35)
    predict_images(model, find_images([folder / "in"]), folder / "out", settings)
    return folder / "out"


@pytest.fixture(scope="module")
def many(out: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same page with 10,000 lines, all showing the files of ten pictures."""
    folder = tmp_path_factory.mktemp("many") / "out"
    shutil.copytree(out, folder)
    lines = (out / "predictions.jsonl").read_text().splitlines()
    rows = [json.loads(lines[i % len(lines)]) | {"confidence": (i * 7919 % MANY) / MANY} for i in range(MANY)]
    (folder / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_page(folder)
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("needs chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: make setup")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, out: Path) -> Iterator[Any]:
    yield from opened(browser, out)


def opened(browser: Any, folder: Path) -> Iterator[Any]:
    tab = browser.new_page(viewport={"width": 1200, "height": 900})
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("request", lambda request: request.url.startswith(("file:", "data:")) or errors.append(request.url))
    tab.goto((folder / "index.html").as_uri())
    tab.wait_for_function("document.querySelectorAll('canvas[data-address]')[1]?.width > 1")
    yield tab
    assert errors == []
    tab.close()


def painted(page: Any, place: int = 0) -> int:
    """How many pixels of a card are coloured."""
    script = """(place) => { const c = document.querySelectorAll('.card canvas')[place];
      return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.filter((v, i) => i % 4 == 3 && v).length }"""
    return page.evaluate(script, place)


def first(out: Path) -> Record:
    return next(iter(read_records(out)))


def test_the_mask_is_drawn_to_the_pixel(page: Any, out: Path):
    mask = np.asarray(Image.open(out / first(out).mask))
    script = """() => { const c = document.querySelector('.card canvas');
      return [c.width, c.height, ...c.getContext('2d').getImageData(0, 0, c.width, c.height).data] }"""
    width, height, *values = page.evaluate(script)
    seen = np.array(values, dtype=np.uint8).reshape(height, width, 4)
    colours = json.loads((out / "classes.json").read_text())["classes"]
    for each in colours:
        rgb = [int(each["colour"][i : i + 2], 16) for i in (1, 3, 5)]
        assert np.array_equal((seen[..., :3] == rgb).all(-1) & (seen[..., 3] > 0), mask == each["value"])
    assert np.array_equal(seen[..., 3] == 0, mask == 255)


def test_the_slider_and_keys_say_how_strong_the_colours_are(page: Any):
    strength = "getComputedStyle(document.querySelector('.card canvas')).opacity"
    assert page.evaluate(strength) == "0.6"
    page.locator("#strength").fill("25")
    assert page.evaluate(strength) == "0.25"
    page.locator(".card").first.focus()
    page.keyboard.press("3")
    assert page.evaluate(strength) == "1" and page.locator("#strength").input_value() == "100"
    page.keyboard.press("1")
    assert page.evaluate(strength) == "0"


def test_a_category_can_be_switched_off(page: Any, out: Path):
    before = painted(page)
    area = first(out).classes[0]
    box = page.locator(f"[data-class='{NAMES.index(area.name)}']")
    box.uncheck()
    assert painted(page) == before - area.pixels
    page.locator("#none").click()
    assert painted(page) == 0
    page.locator("#all").click()
    assert painted(page) == before


def test_what_lies_under_the_pointer_is_told(page: Any, out: Path):
    box = page.locator(".card .picture").first.bounding_box()
    record, mask = first(out), np.asarray(Image.open(out / first(out).mask))
    scale = min(box["width"] / record.width, box["height"] / record.height)
    for x, y in ((10, 10), (60, 48), (110, 90)):
        left = box["x"] + (box["width"] - scale * record.width) / 2 + scale * (x + 0.5)
        page.mouse.move(left, box["y"] + (box["height"] - scale * record.height) / 2 + scale * (y + 0.5))
        told = page.locator("#tip").inner_text()
        assert told.startswith("ignored" if mask[y, x] == 255 else f"{NAMES[mask[y, x]]} · 0.")
    page.mouse.move(5, 5)
    assert not page.locator("#tip").is_visible()


def test_filters_and_order(page: Any, out: Path):
    records = list(read_records(out))
    name = records[0].classes[-1].name
    with_it = [each for each in records if any(area.name == name for area in each.classes)]
    page.locator(f"[data-only='{NAMES.index(name)}']").click()
    assert page.locator("#count").inner_text() == f"{len(with_it)} of 10"
    page.locator("#least").fill("30")
    share = {each.image: area.share for each in with_it for area in each.classes if area.name == name}
    assert page.locator("#count").inner_text() == f"{sum(value >= 0.3 for value in share.values())} of 10"
    page.locator("#only").select_option("")
    page.locator("#sort").select_option("unsure")
    unsure = min(records, key=lambda each: each.confidence)
    assert page.locator(".card h3").first.inner_text() == unsure.image
    page.locator("#name").fill("B C")
    assert page.locator("#count").inner_text() == "1 of 10" and page.locator(".card").count() == 1
    page.locator("#name").fill("nothing")
    assert page.locator("#empty").is_visible()


def test_keys_lead_from_picture_to_picture(page: Any):
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    names = page.locator(".card h3").all_inner_texts()
    assert page.locator("dialog h3").inner_text() == names[1]
    page.keyboard.press("ArrowRight")
    assert page.locator("dialog h3").inner_text() == names[2]
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    assert page.evaluate("document.activeElement.querySelector('h3').textContent") == names[2]
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "name"


def test_names_are_text_and_failures_are_listed(page: Any):
    assert "<b>0 #%.png" in page.locator(".card h3").all_inner_texts()
    assert "bad.png" in page.locator(".failures").inner_text()


def test_dark_where_the_reader_likes_it_dark(page: Any):
    colour = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(colour)
    page.emulate_media(color_scheme="light")
    assert dark != page.evaluate(colour)


def test_ten_thousand_pictures(browser: Any, many: Path):
    page = next(opened(browser, many))
    assert page.locator("#count").inner_text() == "10,000 of 10,000"
    paints = []
    for _ in range(3):
        page.reload()
        page.wait_for_selector(".card")
        paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
    assert min(paints) < 1000  # milliseconds
    assert page.locator(".card").count() < 40
    height = page.evaluate("document.body.scrollHeight")
    page.evaluate("scrollTo(0, document.getElementById('gallery').offsetHeight / 2)")
    page.wait_for_function("document.querySelector('.card').picture.index > 4000")
    assert page.locator(".card").count() < 40 and page.evaluate("document.body.scrollHeight") == height
    page.locator("#sort").select_option("unsure")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_function("document.querySelector('.card').picture.confidence === 0")
    page.close()
