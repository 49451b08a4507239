"""Files of the right size that are not OFA's tokenizer are refused, whatever was done to them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ifseg_cli.core.errors import TokenizerError
from ifseg_cli.core.vocabulary.landmarks import WORDS
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer

DATA = Path(__file__).parents[2] / "data" / "tokenizer"


def swapped(ids: dict[str, Any], one: str, other: str) -> dict[str, Any]:
    return ids | {one: ids[other], other: ids[one]}


def rotated(ids: dict[str, Any]) -> dict[str, Any]:
    """Every id of a word moved on by one."""
    words = [token for token, index in ids.items() if index > 3 and token != "<mask>"]
    return ids | {token: ids[following] for token, following in zip(words, words[1:] + words[:1], strict=True)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(DATA / name, tmp_path / name)
    return tmp_path


def test_the_landmarks_are_those_of_the_published_tokenizer() -> None:
    ofa = Tokenizer.load(DATA)
    assert {word: ofa.encode(word) for word in WORDS} == WORDS


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (rotated, r"'the' is \d+"),
        (lambda ids: swapped(ids, "<s>", "</s>"), "<s> is 2"),
        (lambda ids: swapped(ids, "<unk>", "Ġthe"), "<unk> is 5"),
        (lambda ids: swapped(ids, "<mask>", "Ġsky"), "<mask> is 6360"),
        (lambda ids: swapped(ids, "Ġcurtains", "Ġumbrella"), "'umbrella' is 31947"),
    ],
    ids=["ids moved by one", "<s> and </s> swapped", "<unk> elsewhere", "<mask> elsewhere", "two words swapped"],
)
def test_other_ids(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]], told: str) -> None:
    ids = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    # `<mask>` moved: without the added tokens the list would not be of OFA's size.
    added = json.loads((DATA / "added_tokens.json").read_text(encoding="utf-8"))
    (folder / "vocab.json").write_text(json.dumps(change(ids | added)), encoding="utf-8")
    with pytest.raises(TokenizerError, match=told):
        Tokenizer.load(folder)


@pytest.mark.parametrize("kept", [0, 25_000, 49_999])
def test_merges_cut_off(folder: Path, kept: int) -> None:
    lines = (folder / "merges.txt").read_text(encoding="utf-8").split("\n")
    (folder / "merges.txt").write_text("\n".join(lines[: kept + 1]), encoding="utf-8")
    with pytest.raises(TokenizerError, match=f"{kept:,} merges"):
        Tokenizer.load(folder)


def test_merges_in_another_order(folder: Path) -> None:
    head, *lines = (folder / "merges.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    (folder / "merges.txt").write_text("\n".join([head, *reversed(lines)]), encoding="utf-8")
    with pytest.raises(TokenizerError, match="as in OFA's dictionary"):
        Tokenizer.load(folder)
