"""A category file: what a line may be, what comes back, and what is refused with its line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ifseg_cli.core.errors import CategoryError
from ifseg_cli.core.vocabulary.category import Category, parse_line
from ifseg_cli.core.vocabulary.files import (
    categories_from_names,
    format_categories,
    gather_categories,
    parse_categories,
    read_categories,
)

PLAIN = [Category("cat", line=1), Category("dog", line=2)]


@pytest.mark.parametrize(
    "data",
    [
        b"cat\ndog\n",
        b"cat\ndog",
        b"\xef\xbb\xbfcat\ndog\n",
        b"cat\r\ndog\r\n",
        b"\xef\xbb\xbfcat\r\ndog",
        b"cat\rdog\r",
        b"  cat\t\ndog  \n\n\n",
    ],
    ids=["LF", "no last LF", "BOM", "CRLF", "BOM and CRLF", "CR", "white space"],
)
def test_a_file_may_come_from_any_editor(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cats.txt"
    path.write_bytes(data)
    assert list(read_categories(str(path))) == PLAIN


def test_comments_and_blank_lines_do_not_count() -> None:
    text = "# my list\n\ncat\n   # indented\n#808080\ndog #808080\n"
    cat, dog = parse_categories(text, "cats.txt")
    assert (cat.name, cat.line) == ("cat", 3)
    assert (dog.name, dog.line, dog.colour) == ("dog", 6, (128, 128, 128))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("80 road #804080", Category("road", raw_id=80, colour=(128, 64, 128))),
        ("0 cat", Category("cat", raw_id=0)),
        ("tv, television", Category("tv", ("television",))),
        ("7 tv ,  television set,telly #FF0000", Category("tv", ("television set", "telly"), 7, (255, 0, 0))),
        ("stop   sign", Category("stop sign")),
        ("3d printer", Category("3d printer")),
        ("C#", Category("C#")),
        ("犬", Category("犬")),
    ],
)
def test_a_line_is_read(line: str, expected: Category) -> None:
    assert parse_line(line, "here") == expected


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
colours = st.tuples(*[st.integers(0, 255)] * 3)
lists_of_names = st.lists(names, min_size=1, max_size=3)


@settings(deadline=None)
@given(st.lists(st.tuples(lists_of_names, st.none() | colours), min_size=1, max_size=5), st.booleans())
def test_what_can_be_written_is_read_back(entries: list, numbered: bool) -> None:
    categories = []
    for at, (given_names, colour) in enumerate(entries):
        clean = [" ".join(name.replace(",", " ").split()) for name in given_names]
        assume(all(clean) and len(set(clean)) == len(clean))
        categories.append(Category(clean[0], tuple(clean[1:]), at * 7 if numbered else None, colour, at + 1))
    try:
        text = format_categories(categories)
    except CategoryError:
        assume(False)
    assert parse_categories(text, "cats.txt") == tuple(categories)


FAULTS = {
    "not UTF-8": (b"cat\nca\xf1on\n", "line 2", "0xf1 is not UTF-8"),
    "UTF-16": ("cat\n".encode("utf-16"), "line 1", "not UTF-8"),
    "empty": (b"", "", "names no category"),
    "comments only": (b"# nothing\n\n", "", "names no category"),
    "short colour": (b"cat\nroad #80408\n", "line 2", "is no colour"),
    "colour of letters": (b"road #GGGGGG\n", "line 1", "is no colour"),
    "comment behind a name": (b"road # the street\n", "line 1", "comments stand on lines of their own"),
    "two colours": (b"road #804080 #112233\n", "line 1", "is no colour"),
    "raw id on some lines": (b"7 cat\ndog\n", "line 2", "has no raw id"),
    "raw id twice": (b"7 cat\n7 dog\n", "line 2", "as 'cat' has"),
    "raw id of ignore": (b"1 cat\n255 dog\n", "line 2", "for ignore"),
    "raw id too large": (b"1 cat\n65535 dog\n", "line 2", "65534"),
    "raw id enormous": (b"1 cat\n" + b"9" * 5000 + b" dog\n", "line 2", "raw id 999"),
    "raw id below zero": (b"-1 license plate\n", "line 1", "raw id -1"),
    "raw id alone": (b"1 cat\n80 #804080\n", "line 2", "a name is missing"),
    "empty synonym": (b"tv,,television\n", "line 1", "a name is missing"),
    "trailing comma": (b"cat\ntv,\n", "line 2", "a name is missing"),
    "a synonym twice": (b"tv, tv\n", "line 1", "twice"),
    "over-long": (b"cat\n" + b"a" * 101 + b"\n", "line 2", "101 characters"),
    "control character": (b"cat\nd\x1b[31mog\n", "line 2", "control character"),
    "NUL": (b"c\x00a\x00t\x00", "line 1", "control character"),
    "broken JSON": (b'{"format": 1,\n', "", "begins like JSON"),
    "another JSON": (b'{"a": 1}', "", "holds no list of names"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_is_refused_with_its_line(fault: str, tmp_path: Path) -> None:
    data, line, message = FAULTS[fault]
    path = tmp_path / "cats.txt"
    path.write_bytes(data)
    with pytest.raises(CategoryError) as caught:
        read_categories(str(path))
    said = caught.value.message
    assert str(path) in said and line in said and message in said
    assert "\n" not in said


def test_raw_ids_beyond_255_make_room_for_255() -> None:
    categories = parse_categories("255 cat\n300 dog\n", "cats.txt")
    assert [category.raw_id for category in categories] == [255, 300]


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(CategoryError, match="more than 4 MB"):
        read_categories(str(path))


def test_a_list_is_found_by_name_and_a_file_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(read_categories("voc-20")) == 20
    Path("voc").mkdir()
    assert len(read_categories("voc")) == 21
    Path("voc-20").write_text("cat\n", encoding="utf-8")
    assert [category.name for category in read_categories("voc-20")] == ["cat"]


def test_a_wrong_name_points_to_the_nearest_list(tmp_path: Path) -> None:
    with pytest.raises(CategoryError, match="nearest lists: ade20k"):
        read_categories("ade")
    with pytest.raises(CategoryError, match="ifseg vocab --list"):
        read_categories("/no/such/file")
    with pytest.raises(CategoryError, match="is a folder"):
        read_categories(str(tmp_path))


def test_names_of_the_command_line_are_written_like_lines() -> None:
    assert categories_from_names(["tv, television", "cat #010203"]) == (
        Category("tv", ("television",)),
        Category("cat", colour=(1, 2, 3)),
    )
    with pytest.raises(CategoryError, match="--category ''"):
        categories_from_names([""])
    with pytest.raises(CategoryError, match="control character"):
        categories_from_names(["caf\udce9"])


def test_categories_come_from_one_place() -> None:
    assert gather_categories(["cat"]) == ((Category("cat"),), "--category")
    assert gather_categories("camvid")[1] == "camvid"


def test_a_written_vocabulary_is_a_category_file_too(tmp_path: Path, ofa: object) -> None:
    from ifseg_cli.core.vocabulary.reader import Reader
    from ifseg_cli.core.vocabulary.tokenizer import Tokenizer
    from ifseg_cli.core.vocabulary.vocabulary import build_vocabulary

    assert isinstance(ofa, Tokenizer)
    categories = parse_categories("7 tv, television #010203\n8 cat\n", "cats.txt")
    path = tmp_path / "vocabulary.json"
    path.write_text(json.dumps(build_vocabulary(categories, Reader(ofa, "what?", 1024), "cats.txt").to_json()), "utf-8")
    assert read_categories(str(path)) == categories
    assert replace(categories[0], line=None) != categories[0]
