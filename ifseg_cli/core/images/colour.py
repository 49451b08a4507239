"""Colours of categories: three bytes, and how people write them."""

from __future__ import annotations

import re

RGB = tuple[int, int, int]  # 0..255 each


def hex_colour(colour: RGB) -> str:
    """`(128, 64, 128)` as `#804080`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def parse_colour(text: str) -> RGB | None:
    """The inverse of `hex_colour`; None if it is no `#rrggbb`."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return None
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
