"""Where categories come from: a text file, a shipped list, a `vocabulary.json`, or names on the command line.

A text file has one category per line (grammar in `category`); its order gives the index. Blank lines and lines that
begin with `#` are skipped. UTF-8 with or without BOM; lines end with LF, CRLF or CR.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ifseg_cli.core.errors import CategoryError
from ifseg_cli.core.vocabulary.category import Category, format_line, parse_line
from ifseg_cli.core.vocabulary.lists import list_names, shipped_list
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary, check_raw_ids

Words = str | Path | Sequence[str]  # a file, a shipped list's name, or names
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
    path = Path(file_or_list)
    if path.is_file():
        return _read_file(path)
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


def _read_file(path: Path) -> tuple[Category, ...]:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise CategoryError(f"{path} has {size >> 20} MB", "a text file with one category per line")
        data = path.read_bytes()
    except OSError as error:
        raise CategoryError(f"cannot read {path}: {error.strerror}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        found = f"{path} line {line}: byte {data[error.start]:#04x} is not UTF-8"
        raise CategoryError(found, "text in UTF-8", "save it as UTF-8") from error
    if text.lstrip().startswith("{"):
        return _read_vocabulary(text, path)
    return parse_categories(text, str(path))


def _read_vocabulary(text: str, path: Path) -> tuple[Category, ...]:
    try:
        return Vocabulary.from_json(json.loads(text)).categories
    except (ValueError, RecursionError) as error:
        raise CategoryError(f"{path} begins like JSON but is none: {error}", "one category per line") from error
    except CategoryError as error:
        raise CategoryError(f"{path}: {error.found}", error.expected, error.remedy) from error
