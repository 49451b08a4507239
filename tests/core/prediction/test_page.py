"""The page: names are users' text, paths are anything, nothing comes from the network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from PIL import Image

from ifseg_cli.core.images.search import find_images
from ifseg_cli.core.prediction.engine.pipeline import predict_images
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.recipe import PredictionSettings

ODD = ["plain.png", "50% #1?.png", "a b & <i>c.png", "ünï\nçode.png", "quote'\".png"]


class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in ("src", "href") and value]


@pytest.fixture(scope="module")
def out(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "in").mkdir()
    for name in ODD:
        Image.new("RGB", (30, 20), "green").save(folder / "in" / name)
    Path(os.fsdecode(os.fsencode(folder / "in") + b"/\xff\xfe.png")).write_bytes(b"not UTF-8, no picture")
    predict_images(model, find_images([folder / "in"]), folder / "out", PredictionSettings(smoothing_iterations=0))
    return folder / "out"


def test_every_link_leads_to_a_file(out: Path):
    parser = Links()
    parser.feed((out / "index.html").read_text(encoding="utf-8"))
    local = [link for link in parser.links if not link.startswith("#")]
    assert len(local) == len(ODD) * 6 + 3
    for link in local:
        assert Path(os.fsdecode(os.fsencode(out) + b"/" + unquote_to_bytes(link))).is_file(), link


def test_nothing_comes_from_the_network(out: Path):
    assert not re.search(r"(https?:)?//[a-z]", (out / "index.html").read_text(encoding="utf-8"))


def test_names_are_text_and_not_markup(out: Path):
    parser = Links()
    text = (out / "index.html").read_text(encoding="utf-8")
    parser.feed(text)
    assert "b" in parser.tags and "i" in parser.tags  # the page's own
    assert "<b>sea" not in text and "<i>c" not in text
    assert "sky &amp; &lt;b&gt;sea&lt;/b&gt;" in text and "a b &amp; &lt;i&gt;c" in text


@pytest.mark.browser
def test_the_keys_change_the_view(out: Path, tmp_path: Path):
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs chromium")
    page = out / "probe.html"
    script = "<script>dispatchEvent(new KeyboardEvent('keydown', {key: '3'}))</script>"
    page.write_text((out / "index.html").read_text(encoding="utf-8") + script, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    command = [chromium, *options, f"--user-data-dir={tmp_path}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    page.unlink()
    assert 'data-view="mask"' in done.stdout
