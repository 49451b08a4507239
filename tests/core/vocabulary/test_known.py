"""Known words: plurals, joined words and compounds resolve; the rest is refused with what is nearest."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from ifseg_cli.core.errors import CheckpointError
from ifseg_cli.core.vocabulary.known import KnownWords, Word
from ifseg_cli.core.vocabulary.reader import Reader
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dog", ("dog", "class")),
        ("  Dog ", ("dog", "class")),
        ("dogs", ("dog", "class")),
        ("knives", ("knife", "tree")),
        ("stair", ("stairs", "tree")),
        ("TV", ("television", "tree")),
        ("dining-tables", ("dining table", "class")),
        ("diningtable", ("dining table", "class")),
        ("tea pot", ("teapot", "tree")),
        ("brick wall", ("brick wall", "texture")),
        ("stone wall", ("stone wall", "pieces")),
        ("wooden wall", ("wall", "head")),
        ("dining table dogs", ("dining table dog", "pieces")),
        ("giraffe", None),
        ("catalogue", None),
        ("", None),
    ],
)
def test_a_name_resolves(known: KnownWords, name: str, expected: tuple[str, str] | None) -> None:
    assert known.resolve(name) == expected


@pytest.mark.parametrize(
    ("name", "stuff"), [("dogs", False), ("sky", True), ("dog grass", True), ("grass dog", False), ("zebra", None)]
)
def test_a_surface_is_told_from_an_object(known: KnownWords, name: str, stuff: bool | None) -> None:
    assert known.is_stuff(name) is stuff


def test_heights_are_read_and_the_last_word_decides(tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    road = {"how": "texture", "stuff": True, "height": -1}
    street = road | {"canonical": "road"}
    path.write_text(json.dumps({"words": {"road": road, "street": street, "dog": {"how": "class"}}}))
    known = KnownWords.read(path)
    assert known.heights(["road", "streets", "dog road", "road dog", "zebra"]) == (-1.0, -1.0, -1.0, 0.0, 0.0)
    assert KnownWords({}).heights(["road"]) == (0.0,)
    path.write_text(json.dumps(known.to_json()))
    assert KnownWords.read(path).words == known.words
    path.write_text(json.dumps({"words": {"road": {"how": "texture", "height": 3}}}))
    with pytest.raises(CheckpointError, match=r"'road' is usually seen at height 3\.0, not in -1\.\.1"):
        KnownWords.read(path)


def test_an_unknown_name_is_read_word_by_word_never_by_its_beginning(whole: Tokenizer, known: KnownWords) -> None:
    reading = Reader(whole, "", 99, known).read("dogs catalogue")
    assert not reading.known
    assert reading.ids == (*whole.encode("dog"), whole.unk)


def test_synonyms_share_a_row(whole: Tokenizer, known: KnownWords) -> None:
    assert Reader(whole, "", 99, known).read("tv").ids == Reader(whole, "", 99, known).read("televisions").ids


def test_the_nearest_words_are_spelt_alike(known: KnownWords) -> None:
    assert known.nearest("hors")[0] == "horse"
    assert known.nearest("telvision")[0] == "television"
    assert known.nearest("qqqqqq") == []


def test_the_refusal_names_the_first_dozen_and_the_ways_on(known: KnownWords) -> None:
    names = [f"gnu{at}" for at in range(30)] + ["hors"]
    message = known.refuse(["hors", *names]).message
    assert "'hors' (nearest: horse" in message
    assert all(repr(name) in message for name in names[:11])
    assert "and 20 more" in message and "gnu20" not in message
    assert "--base" in message and "--allow-unknown" in message


def test_the_nearest_of_thousands_is_found_fast() -> None:
    words = {f"word{at} thing{at * 7}": Word("class", "x", False) for at in range(5000)}
    known = KnownWords(words)
    known.nearest("first")  # builds the index
    start = time.perf_counter()
    assert known.nearest("word4321 thing30247")[0] == "word4321 thing30247"
    assert time.perf_counter() - start < 1


def test_words_come_back_as_they_were_written(known: KnownWords, tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    path.write_text(json.dumps(known.to_json()), encoding="utf-8")
    assert KnownWords.read(path).words == known.words


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"words": []}', '{"words": {"a": {"how": "magic"}}}', '{"words": {"a": {"how": "class", "x": 1}}}'],
)
def test_a_faulty_words_file_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"words\.json"):
        KnownWords.read(path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("grass-other", ("grass", "texture")),
        ("Sky-Other-Merged", ("sky", "lexicon")),
        ("dog things", ("dog", "class")),
        ("swivel dog", ("dog", "head")),
        ("dog-panel", ("dog", "head")),
        ("panel dog", ("dog", "head")),
        ("other", None),
        ("other things", None),
        ("panel-gadget", None),
    ],
)
def test_what_data_sets_hang_on_names_is_dropped_and_a_head_is_better_than_nothing(
    known: KnownWords, name: str, expected: tuple[str, str] | None
) -> None:
    assert known.resolve(name) == expected
