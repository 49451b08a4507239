"""Jinja2 as every page uses it: names are users' text and are escaped, paths are quoted for URLs, no network."""

from __future__ import annotations

import os
from urllib.parse import quote

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def environment(room: str) -> Environment:
    """Templates of a package, which extend `base.html` and may include `sort.js`.

    Args:
        room: the package that holds the template.
    """
    made = Environment(
        loader=ChoiceLoader([PackageLoader(room, "."), PackageLoader("ifseg_cli.core.pages", ".")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(url=url, share=share_text, readable=readable)
    return made


def share_text(share: float) -> str:
    """A share 0..1 as people read it: `12.3 %`, and never `0.0 %` for something that is there."""
    return f"{100 * share:.1f} %" if share >= 0.0005 or share == 0 else "< 0.1 %"


def url(path: str) -> str:
    """A relative path as a URL, byte for byte as the file system has it."""
    return quote(os.fsencode(path))


def readable(text: str) -> str:
    """Text that UTF-8 can hold: bytes of a file name that are none are shown as a replacement sign."""
    return os.fsencode(text).decode("utf-8", "replace")
