"""The page: names are users' text, paths are anything, nothing comes from the network."""

from __future__ import annotations

import json
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
from PIL import Image

from ifseg_cli.core.images.search import find_images
from ifseg_cli.core.prediction.engine.pipeline import predict_images
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.prediction.outputs import page as page_module
from ifseg_cli.core.prediction.outputs.page import write_page
from ifseg_cli.core.prediction.outputs.thumbnails import label_image
from ifseg_cli.core.recipe import PredictionSettings

ODD = ["plain.png", "50% #1?.png", "a b & <i>c.png", "ünï\nçode.png", "quote'\".png"]


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if name in ("src", "href") and value]


def data_of(page: Path) -> dict[str, Any]:
    """What the page's script reads."""
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


@pytest.fixture(scope="module")
def out(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "in").mkdir()
    for name in ODD:
        Image.new("RGB", (30, 20), "green").save(folder / "in" / name)
    Path(os.fsdecode(os.fsencode(folder / "in") + b"/\xff\xfe.png")).write_bytes(b"not UTF-8, no picture")
    predict_images(model, find_images([folder / "in"]), folder / "out", PredictionSettings(smoothing_iterations=0))
    return folder / "out"


def test_every_link_and_every_address_leads_to_a_file(out: Path):
    parser = Links()
    parser.feed((out / "index.html").read_text(encoding="utf-8"))
    addresses = [row[1] for row in data_of(out / "index.html")["pictures"]]
    assert len(addresses) == len(ODD)
    of_pictures = (("", ".png"), ("overlays/", ".jpg"), ("thumbnails/", ".photo.jpg"), ("thumbnails/", ".labels.js"))
    links = [f"{folder}{address}{ending}" for address in addresses for folder, ending in of_pictures]
    links += [link for link in parser.links if not link.startswith("#")]
    assert len(links) == 4 * len(ODD) + 3
    for link in links:
        assert Path(os.fsdecode(os.fsencode(out) + b"/" + unquote_to_bytes(link))).is_file(), link


def test_nothing_comes_from_the_network(out: Path):
    assert not re.search(r"(https?:)?//[a-z]", (out / "index.html").read_text(encoding="utf-8"))


def test_names_are_text_and_not_markup(out: Path):
    text = (out / "index.html").read_text(encoding="utf-8")
    assert "<b>sea" not in text and "<i>c" not in text
    assert "sky &amp; &lt;b&gt;sea&lt;/b&gt;" in text
    assert "a b & <i>c.png" in [row[0] for row in data_of(out / "index.html")["pictures"]]
    assert "</script" not in text[text.index('id="data"') : text.index("</script>", text.index('id="data"'))]


@pytest.mark.parametrize("categories", [3, 255, 256, 1000])
def test_a_small_label_map_holds_every_index(categories: int):
    labels = np.arange(-1, categories, dtype=np.int16).reshape(1, -1)
    seen = np.asarray(label_image(labels, categories)).astype(int)
    found = seen if categories < 256 else seen[..., 0] + 256 * seen[..., 1]
    assert np.array_equal(found - 1, labels)


def test_more_pictures_than_a_page_shows_are_counted(out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(page_module, "MOST", 2)
    shutil.copytree(out, tmp_path / "out")
    write_page(tmp_path / "out")
    text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert len(data_of(tmp_path / "out" / "index.html")["pictures"]) == 2
    assert f"<h1>{len(ODD)} images" in text and "This page shows the first 2" in text
