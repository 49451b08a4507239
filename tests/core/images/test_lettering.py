"""Letters of any script in pictures: drawn where a font has them, a number where none has, never a box."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ifseg_cli.core.images import lettering
from ifseg_cli.core.images.colour import RGB

SAMPLES = {
    "Latin": "naïve Straße",
    "Cyrillic": "небо",
    "Greek": "ουρανός",
    "Chinese": "天空",
    "Devanagari": "आकाश",
    "Arabic": "سماء",
    "emoji": "🐱",
}
NOWHERE = "\U000e0fff"  # an unassigned code: no font has it
INK: RGB = (20, 20, 20)


def drawn(text: str, size: int = 24, anchor: str = "lm") -> NDArray[np.bool_]:
    picture = Image.new("RGB", (400, 60), (255, 255, 255))
    lettering.write(picture, ({"l": 10, "m": 200, "r": 390}[anchor[0]], 30), text, size, INK, anchor)
    return (np.asarray(picture) != 255).any(-1)


@pytest.mark.parametrize("script", SAMPLES)
def test_a_script_is_drawn_where_a_font_has_it(script: str):
    text = SAMPLES[script]
    if lettering.missing(text):
        pytest.skip(f"no font of this machine has {script}: {text}")
    ink = drawn(text)
    left, right = np.flatnonzero(ink.any(0))[[0, -1]]
    assert lettering.width(text, 24) > 10
    assert abs((right - left) - lettering.width(text, 24)) < 8
    boxes = drawn("\ufffd" * len(text))
    assert not np.array_equal(ink, boxes)
    assert lettering.drawable([text], [3]) == (text,)


def test_a_letter_that_no_font_has_becomes_a_number():
    assert lettering.missing(f"sky {NOWHERE}") == NOWHERE
    assert lettering.drawable(["sky", f"a{NOWHERE}"], [0, 17]) == ("sky", "#17")


def test_pillows_own_letters_are_drawn_as_pillow_draws_them():
    from PIL import ImageDraw, ImageFont

    expected = Image.new("RGB", (400, 60), (255, 255, 255))
    font = ImageFont.load_default(24)
    ImageDraw.Draw(expected).text((10, 30), "grass and sky", INK, font, anchor="lm")
    found = Image.new("RGB", (400, 60), (255, 255, 255))
    lettering.write(found, (10, 30), "grass and sky", 24, INK)
    assert np.abs(np.asarray(found).astype(int) - np.asarray(expected)).mean() < 6  # half a pixel of height at most


@pytest.mark.parametrize("anchor", ["lm", "mm", "rm"])
def test_the_anchor_is_where_it_says(anchor: str):
    columns = np.flatnonzero(drawn("HHH", anchor=anchor).any(0))
    middle, ends = (columns[0] + columns[-1]) / 2, (columns[0], columns[-1])
    assert {"l": abs(ends[0] - 10), "m": abs(middle - 200), "r": abs(ends[1] - 390)}[anchor[0]] < 4
    rows = np.flatnonzero(drawn("HHH", anchor=anchor).any(1))
    assert abs((rows[0] + rows[-1]) / 2 - 30) < 4


def test_a_word_is_in_one_font_and_a_phrase_in_few():
    if lettering.missing("naïve небо"):
        pytest.skip("no font of this machine has Cyrillic")
    parts = lettering._runs("sky naïve")  # pyright: ignore[reportPrivateUsage]
    assert "".join(part for _, part in parts) == "sky naïve" and (
        "naïve" in [part for _, part in parts] or len(parts) == 1
    )
    assert len(lettering._runs("небо и море")) == 1  # pyright: ignore[reportPrivateUsage]
