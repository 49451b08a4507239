"""A category: one line of the user's file.

    [raw id] name[, synonym, ...] [#rrggbb]        80 road, street #804080

Grammar, decided here and nowhere else:

- White space in a name counts as one space. Commas separate synonyms; no name contains one.
- A number followed by white space at the start is a raw id: the value that masks carry. All lines have one, or none.
- A `#` after white space begins a colour, `#rrggbb`, at the end of the line. There are no comments behind a name;
  a comment is a line that begins with `#`.
- Synonyms enter the category's row, each name with the same weight; the first name alone stands in the prompt.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ifseg_cli.core.errors import CategoryError
from ifseg_cli.core.images.colour import RGB, hex_colour, parse_colour

MAX_NAME = 100  # characters; a longer name is a sentence, or a file of another kind
MAX_RAW_ID = 65534  # 65535 is the ignore value of 16-bit masks


@dataclass(frozen=True)
class Category:
    """One category as the user wrote it.

    Attributes:
        name: the first name; white space normalised, case kept.
        synonyms: the other names, in order.
        raw_id: the value masks carry, 0..65534; None = its index.
        colour: RGB, 0..255 each; None = from the palette.
        line: line number in its file, from 1; None if it came another way.
    """

    name: str
    synonyms: tuple[str, ...] = ()
    raw_id: int | None = None
    colour: RGB | None = None
    line: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The first name, then the synonyms."""
        return (self.name, *self.synonyms)


def parse_line(text: str, where: str, line: int | None = None) -> Category:
    """One category from one line.

    Args:
        text: the line, not blank.
        where: how an error names the place ("cats.txt line 3").
        line: its number, kept in the category.

    Raises:
        CategoryError: a bad colour, raw id or name.
    """
    number = re.match(r"([+-]?[0-9]+)\s+(?=\S)", text.strip())
    raw_id = _raw_id(number[1], where) if number else None
    rest = text.strip()[number.end() :] if number else text.strip()
    written = re.search(r"(?:^|\s)(#.*)$", rest)
    colour = parse_colour(written[1]) if written else None
    if written and colour is None:
        remedy = "comments stand on lines of their own"
        raise CategoryError(f"{where}: {written[1][:40]!r} is no colour", "a colour like #804080 at the end", remedy)
    names = [" ".join(name.split()) for name in (rest[: written.start()] if written else rest).split(",")]
    for name in names:
        check_name(name, where)
    if len(set(names)) != len(names):
        raise CategoryError(f"{where}: a name stands there twice", "different synonyms between the commas")
    return Category(names[0], tuple(names[1:]), raw_id, colour, line)


def _raw_id(text: str, where: str) -> int:
    if len(text) > 9 or not 0 <= int(text) <= MAX_RAW_ID:
        raise CategoryError(f"{where}: raw id {text[:20]}", f"a number from 0 to {MAX_RAW_ID}")
    return int(text)


def check_name(name: str, where: str) -> None:
    """Refuse a name that is empty, over 100 characters, or has characters that cannot be shown.

    Raises:
        CategoryError: with `where` in front.
    """
    if not name:
        raise CategoryError(f"{where}: a name is missing", "a name, and one behind every comma")
    if len(name) > MAX_NAME:
        found = f"{where}: a name of {len(name)} characters, {name[:20]!r}..."
        raise CategoryError(found, f"at most {MAX_NAME}", "give each category a line of its own")
    bad = next((letter for letter in name if unicodedata.category(letter) in ("Cc", "Cs")), None)
    if bad is not None:
        raise CategoryError(f"{where}: control character {bad!a} in a name", "plain text in UTF-8")


def format_line(category: Category) -> str:
    """The inverse of `parse_line`.

    Raises:
        CategoryError: a name that no file can hold, as it would be read as something else.
    """
    parts = [", ".join(category.names)]
    if category.raw_id is not None:
        parts.insert(0, str(category.raw_id))
    if category.colour is not None:
        parts.append(hex_colour(category.colour))
    text = " ".join(parts)
    if text.startswith("#") or parse_line(text, "category", category.line) != category:
        raise CategoryError(f"{category.name!r} cannot stand in a category file", "a name without comma, # or number")
    return text
