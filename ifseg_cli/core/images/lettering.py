"""Names written into pictures, in any script.

Pillow's own font draws what it can, the same on every machine; each letter that it lacks is drawn in the first font of
the system that has it. A name with a letter that no font has is never a row of boxes: its number stands for it
(`drawable`). Scripts whose letters join and move are set by Raqm, which Pillow's wheels bring.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import groupby

from PIL import Image, ImageDraw, ImageFont

from ifseg_cli.core.images.colour import RGB

_STRIKES = (109, 136, 160, 128, 96)  # pixels in which fonts of pictures (emoji) come
_LATER = ("bold", "italic", "oblique", "mono", "serif", "condensed", "narrow", "light", "thin", "black", "math")
_STYLES = ("noto", "dejavu", "liberation", "arial", "segoe", "helvetica")
_TOFU = "\ufffd"
_JOINING = ("Mn", "Mc", "Me", "Cf")  # marks, and what joins letters without being one


def drawable(names: Sequence[str], numbers: Sequence[int]) -> tuple[str, ...]:
    """The names as they can be drawn: those with a letter that no font has become `#number`."""
    return tuple(name if not missing(name) else f"#{number}" for name, number in zip(names, numbers, strict=True))


def missing(text: str) -> str:
    """The letters of a text that no font of the system has."""
    return "".join(each for each in dict.fromkeys(text) if _font_of(each) == _TOFU)


def width(text: str, size: int) -> float:
    """How wide a text is, pixels."""
    return sum(_length(part, font, size) for font, part in _runs(text))


def write(
    picture: Image.Image,
    place: tuple[float, float],
    text: str,
    size: int,
    fill: RGB,
    anchor: str = "lm",
    outline: tuple[int, RGB] | None = None,
) -> None:
    """Write a line of text.

    Args:
        picture: RGB, drawn on.
        place: (x, y).
        text: one line.
        size: of the letters, pixels.
        fill: their colour.
        anchor: what of the text lies at `place`: l, m or r (left, middle, right), then m (the middle of a line).
        outline: width and colour of a line around the letters.
    """
    x, y = place
    x -= {"l": 0.0, "m": 0.5, "r": 1.0}[anchor[0]] * width(text, size)
    ascent, descent = _own(size).getmetrics()
    baseline = y + (ascent - descent) / 2
    draw, (stroke, around) = ImageDraw.Draw(picture), outline or (0, None)
    for font, part in _runs(text):
        loaded, scale = _load(font, size)
        if scale == 1:
            draw.text((x, baseline), part, fill, loaded, "ls", stroke_width=stroke, stroke_fill=around)
        else:
            _paste(picture, part, loaded, scale, (round(x), round(y - size / 2)))
        x += _length(part, font, size)


def _paste(
    picture: Image.Image, text: str, font: ImageFont.FreeTypeFont, scale: float, corner: tuple[int, int]
) -> None:
    """Letters that are pictures of one size: drawn in it, then brought to the one that is wanted."""
    box = font.getbbox(text)
    drawn = Image.new("RGBA", (max(1, round(box[2])), max(1, round(box[3]))))
    ImageDraw.Draw(drawn).text((0, 0), text, font=font, embedded_color=True)
    small = drawn.resize((max(1, round(drawn.width * scale)), max(1, round(drawn.height * scale))))
    picture.paste(small, corner, small)


def _runs(text: str) -> list[tuple[str, str]]:
    """A text in parts, each with its font: a word in one, where one has all its letters."""
    fonts: list[str] = []
    words = re.split(r"(\s+)", text)
    for place, word in enumerate(words):
        whole = _font_of(word)
        if word.isspace() and 0 < place < len(words) - 1:
            # Between two words of one font it is theirs: of writing from right to left, their order depends on it.
            before, after = _font_of(words[place - 1]), _font_of(words[place + 1])
            whole = before if before == after else ""
        for each in word:
            joins = unicodedata.category(each) in _JOINING and fonts  # goes with the letter before it
            fonts.append(whole if whole != _TOFU else fonts[-1] if joins else _font_of(each))
    pairs = groupby(zip(fonts, text, strict=True), key=lambda pair: pair[0])
    return [(font, "".join(letter for _, letter in part)) for font, part in pairs]


def _length(text: str, font: str, size: int) -> float:
    loaded, scale = _load(font, size)
    return loaded.getlength(text) * scale


@cache
def _load(font: str, size: int) -> tuple[ImageFont.FreeTypeFont, float]:
    """A font in a size, and by how much what it draws must be scaled to be of that size."""
    if not font or font == _TOFU:
        return _own(size), 1
    try:
        return ImageFont.truetype(font, size), 1
    except OSError:
        for strike in _STRIKES:
            try:
                return ImageFont.truetype(font, strike), size / strike
            except OSError:
                continue
        return _own(size), 1


@cache
def _own(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow's wheels have FreeType
    return font


@cache
def _font_of(letters: str) -> str:
    """Path of the first font that has all of some letters: empty for Pillow's own, `_TOFU` where none has."""
    needed = {ord(each) for each in letters if not each.isspace() and unicodedata.category(each) != "Cf"}
    if needed <= _own_letters():
        return ""
    return next((path for path in _system_fonts() if needed <= _letters(path)), _TOFU)


@cache
def _own_letters() -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    source = _own(16).path
    return frozenset(FT2Font(source).get_charmap())


@cache
def _letters(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError, ValueError):
        return frozenset()


@cache
def _system_fonts() -> tuple[str, ...]:
    """Files of the system's fonts: upright and plain ones first, known ones before others."""
    from matplotlib.font_manager import findSystemFonts

    def rank(path: str) -> tuple[int, int, str]:
        name = path.replace("\\", "/").rsplit("/", 1)[-1].lower()
        style = next((i for i, each in enumerate(_STYLES) if name.startswith(each)), len(_STYLES))
        return sum(each in name for each in _LATER), style, path

    return tuple(sorted(findSystemFonts(), key=rank))
