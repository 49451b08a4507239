"""Where categories come from: a text file, a shipped list, a `vocabulary.json`, or names on the command line.

A text file has one category per line (grammar in `category`); its order gives the index. Blank lines and lines that
begin with `#` are skipped. UTF-8 with or without BOM; lines end with LF, CRLF or CR. Lists of other tools are known by
what they hold (`foreign`). `-` is standard input.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ifseg_cli.core.errors import CategoryError
from ifseg_cli.core.vocabulary.category import Category, format_line, parse_line
from ifseg_cli.core.vocabulary.foreign import read_foreign
from ifseg_cli.core.vocabulary.lists import list_names, shipped_list
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary, check_raw_ids

Words = str | Path | Sequence[str]  # a file, a shipped list's name, or names
STDIN = "-"
MAX_BYTES = 4 << 20  # 65,535 names fit; anything larger is another kind of file


def gather_categories(words: Words) -> tuple[tuple[Category, ...], str]:
    """Categories from wherever they are.

    Args:
        words: a path, the name of a shipped list, or the names themselves, each written like a line of a file.

    Returns:
        The categories, and the source as it is kept in the vocabulary.

    Raises:
        CategoryError: what is given is not right.
    """
    if isinstance(words, (str, Path)):
        return read_categories(str(words)), str(words)
    return categories_from_names(words), "--category"


def read_categories(file_or_list: str) -> tuple[Category, ...]:
    """Read a category file, a `vocabulary.json`, or a shipped list by name; a file wins over a list.

    Raises:
        CategoryError: neither is there, or what is there is not right; with the line number.
    """
    path = Path("/dev/stdin" if file_or_list == STDIN else file_or_list)
    if path.exists() and not path.is_dir():
        return _read_file(path, "standard input" if file_or_list == STDIN else str(path))
    if file_or_list in list_names():
        return shipped_list(file_or_list).categories
    near = difflib.get_close_matches(file_or_list, list_names(), 3, cutoff=0.5)
    remedy = f"nearest lists: {', '.join(near)}" if near else "ifseg vocab --list shows the lists"
    found = f"{file_or_list} is a folder" if path.is_dir() else f"no file and no shipped list {file_or_list!r}"
    raise CategoryError(found, "a text file with one category per line, or a shipped list", remedy)


def categories_from_names(names: Sequence[str]) -> tuple[Category, ...]:
    """Categories from the command line: each name written like a line of a file.

    Raises:
        CategoryError: a name is not right.
    """
    categories = tuple(parse_line(name, f"--category {name[:40]!r}") for name in names)
    check_raw_ids(categories, "--category")
    return categories


def parse_categories(text: str, source: str) -> tuple[Category, ...]:
    """Categories of a file's text.

    Args:
        text: without BOM.
        source: the file's name, for errors.

    Raises:
        CategoryError: with the line number.
    """
    found: list[Category] = []
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            found.append(parse_line(line, f"{source} line {number}", number))
    if not found:
        raise CategoryError(f"{source} names no category", "one category per line")
    check_raw_ids(found, source)
    return tuple(found)


def format_categories(categories: Iterable[Category]) -> str:
    """A file's text, one line each; `parse_categories` gives the same categories back (line numbers count anew).

    Raises:
        CategoryError: a name that no file can hold.
    """
    return "".join(f"{format_line(category)}\n" for category in categories)


def _read_file(path: Path, source: str) -> tuple[Category, ...]:
    """A file's categories. Pipes and devices are read as far as a list can go, and no further."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CategoryError(f"cannot read {source}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise CategoryError(f"{source} has more than {MAX_BYTES >> 20} MB", "a text file with one category per line")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        found = f"{source} line {line}: byte {data[error.start]:#04x} is not UTF-8"
        raise CategoryError(found, "text in UTF-8", "save it as UTF-8") from error
    if re.match(r'\s*\{\s*"format"', text):
        return _read_vocabulary(text, source)
    foreign = read_foreign(text, source)
    if foreign is None:
        return parse_categories(text, source)
    if not foreign:
        raise CategoryError(f"{source} names no category", "one category per line")
    check_raw_ids(foreign, source)
    return foreign


def _read_vocabulary(text: str, source: str) -> tuple[Category, ...]:
    try:
        return Vocabulary.from_json(json.loads(text)).categories
    except (ValueError, RecursionError) as error:
        raise CategoryError(f"{source} begins like JSON but is none: {error}", "one category per line") from error
    except CategoryError as error:
        raise CategoryError(f"{source}: {error.found}", error.expected, error.remedy) from error
