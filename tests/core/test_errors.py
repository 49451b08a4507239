"""Every error a user can cause: one family, one line, one page that explains it."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import ifseg_cli
from ifseg_cli.core.errors import IfsegError, RecipeError, counted, listed

PAGE = (Path(__file__).parents[2] / "docs" / "errors.md").read_text(encoding="utf-8")


def family() -> set[type[IfsegError]]:
    """Every subclass anywhere in the package."""
    for module in pkgutil.walk_packages(ifseg_cli.__path__, "ifseg_cli."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: set[type[IfsegError]] = set()
    left = [IfsegError]
    while left:
        children = left.pop().__subclasses__()
        found.update(children)
        left += children
    return {kind for kind in found if kind.__module__.startswith("ifseg_cli")}


def test_the_page_explains_every_error_and_no_other() -> None:
    headings = set(re.findall(r"^## (\w+Error)$", PAGE, flags=re.MULTILINE))
    assert headings == {kind.__name__ for kind in family()}


def test_all_of_them_are_drawn_in_one_file() -> None:
    assert {kind.__module__ for kind in family()} == {"ifseg_cli.core.errors"}
    import ifseg_cli.core.errors as errors

    assert errors.__doc__
    assert all(kind.__name__ in errors.__doc__ and kind.__doc__ for kind in family())


def test_all_of_them_end_in_exit_code_2_but_work_that_is_kept() -> None:
    codes = {kind.__name__: kind.exit_code for kind in family()}
    assert codes.pop("UnfinishedError") == 3
    assert set(codes.values()) == {2}


@pytest.mark.parametrize(
    ("number", "thing", "text"),
    [(1, "picture", "1 picture"), (2000, "category", "2,000 categories"), (3, "class", "3 classes")],
)
def test_numbers_are_told_with_their_thing(number: int, thing: str, text: str) -> None:
    assert counted(number, thing) == text


def test_long_lists_are_shortened() -> None:
    assert listed(["a", "b"]) == "a, b"
    assert listed(range(9), 3) == "0, 1, 2 and 6 more"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("seed is -1", "a whole number", "mend it"), "seed is -1; expected a whole number; mend it"),
        (("seed is -1",), "seed is -1"),
        (("seed is -1", "", "mend it"), "seed is -1; mend it"),
        (("two\nlines  of\ttext",), "two lines of text"),
    ],
)
def test_a_message_is_one_line_of_up_to_three_parts(parts: tuple[str, ...], message: str) -> None:
    error = RecipeError(*parts)
    assert error.message == str(error) == message


def test_a_strangers_text_is_one_printable_line_of_bounded_length() -> None:
    """Escape codes would rule the terminal, and a line of thirty megabytes would be one."""
    told = IfsegError("a\x1b[31mred\x07\u202e", "b\x00", "x" * (30 << 20)).message
    assert told.startswith("a\\x1b[31mred\\x07\\u202e; expected b\\x00; xxx") and "..." in told
    assert told.isprintable() and len(told) < 1000
    assert IfsegError("naïve 猫 🐈 ok").message == "naïve 猫 🐈 ok"
    assert IfsegError("name \udcff").message == "name \\udcff"
