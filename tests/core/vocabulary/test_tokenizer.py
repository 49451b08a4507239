"""Ids of the published program, from every layout; files that are no tokenizer are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifseg_cli.core.errors import TokenizerError
from ifseg_cli.core.vocabulary import tokenizer as module
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer

DATA = Path(__file__).parents[2] / "data" / "tokenizer"
GATHERED = Path(__file__).parents[4] / "shared" / "tokenizer"
FILES = {
    "hf": (DATA, ["vocab.json", "merges.txt", "added_tokens.json"]),
    "hf without added tokens": (DATA, ["vocab.json", "merges.txt"]),
    "fairseq": (GATHERED / "fairseq", ["encoder.json", "vocab.bpe", "dict.txt"]),
}


def load_layout(name: str, folder: Path) -> Tokenizer:
    source, files = FILES[name]
    if not source.exists():
        pytest.skip(f"needs ../shared/tokenizer/{source.name}: utils/BPE and dict.txt of the OFA repository")
    for file in files:
        shutil.copy(source / file, folder / file)
    return Tokenizer.load(folder)


@pytest.fixture(scope="module")
def ofa() -> Tokenizer:
    return Tokenizer.load(DATA)


@pytest.fixture(scope="module")
def whole() -> Tokenizer:
    return Tokenizer.load(DATA / "whole_names.json")


def published() -> list[tuple[str, list[int]]]:
    """Every string of the published program with its ids."""
    reference = json.loads((DATA / "tokenization.json").read_text(encoding="utf-8"))
    entries = [(entry["text"], entry["ids"]) for entry in reference["difficult"]]
    for each in reference["lists"].values():
        entries += [(name["name"], name["ids"]) for name in each["names"]]
        entries.append((reference["prompt_prefix"], each["prompt_ids"]))
    rows = json.loads((DATA / "expected_ids.json").read_text(encoding="utf-8"))["rows"]
    return entries + [(row["text"], row["ids_ifseg_words"]) for row in rows]


@pytest.mark.parametrize("layout", FILES)
@pytest.mark.parametrize("saved", [False, True], ids=["read", "saved and read"])
def test_every_layout_gives_the_published_ids(layout: str, saved: bool, tmp_path: Path) -> None:
    tokenizer = load_layout(layout, tmp_path)
    if saved:
        tokenizer.save(tmp_path / "again" / "tokenizer.json")
        tokenizer = Tokenizer.load(tmp_path / "again")
    assert tokenizer.size == 59457
    assert (tokenizer.bos, tokenizer.pad, tokenizer.eos, tokenizer.unk) == (0, 1, 2, 3)
    entries = published()
    assert len(entries) > 600
    assert [text for text, ids in entries if tokenizer.encode(text) != ids] == []


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_words_are_encoded_alone_and_only_as_text(ofa: Tokenizer, text: str) -> None:
    words = [index for word in text.split() for index in ofa.encode(word)]
    assert ofa.encode(text) == words
    if "<seg_" not in text:
        assert all(3 < index < 50264 for index in words), "special symbols never come from a text"


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_pieces_spell_the_text(ofa: Tokenizer, text: str) -> None:
    if "<seg_" in text or "▁" in text:
        return
    pieces = [ofa.piece(index) for index in ofa.encode(text)]
    if not any("‹" in piece for piece in pieces):
        assert "".join(pieces).replace("▁", " ").split() == text.split()


def test_pieces_are_readable(ofa: Tokenizer, whole: Tokenizer) -> None:
    assert [ofa.piece(index) for index in (3907, 48283, 10659, 58457, 59460)] == [
        "▁tree",
        "▁‹e7›",
        "‹92›",
        "<bin_0>",
        "<seg_3>",
    ]
    assert [whole.piece(index) for index in whole.encode("brick wall")] == ["▁brick wall"]


def test_a_known_name_of_several_words_is_one_piece(whole: Tokenizer) -> None:
    assert len(whole.encode("Dining   TABLE")) == 1
    assert whole.encode("dining table dog") == whole.encode("dining table") + whole.encode("dog")
    assert whole.encode("giraffe") == [whole.unk]
    assert whole.encode("") == []


@pytest.mark.parametrize("text", ["<s>", "</s>", "<pad>", "<s> dog"])
def test_special_symbols_in_a_text_are_unknown(whole: Tokenizer, text: str) -> None:
    assert not {whole.bos, whole.pad, whole.eos} & set(whole.encode(text))
    assert whole.unk in whole.encode(text)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.text("abcdefgh ", min_size=1, max_size=9), min_size=1, unique=True), st.text("abcdefgh ", max_size=30)
)
def test_any_unigram_file_survives_saving(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], text: str
) -> None:
    values = json.loads((DATA / "whole_names.json").read_text(encoding="utf-8"))
    pieces = dict.fromkeys("▁" + "▁".join(name.split()) for name in names if name.split())
    values["model"]["vocab"] = values["model"]["vocab"][:4] + [[piece, -1.0] for piece in pieces]
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    first = Tokenizer.load(path)
    first.save(path.with_name("again.json"))
    again = Tokenizer.load(path.with_name("again.json"))
    assert again.size == first.size == 4 + len(pieces)
    assert again.encode(text) == first.encode(text)
    for piece in pieces:
        assert len(again.encode(piece[1:].replace("▁", " "))) >= 1


def test_an_added_token_is_not_cut_out_of_a_text(tmp_path: Path) -> None:
    values = json.loads((DATA / "whole_names.json").read_text(encoding="utf-8"))
    size = len(values["model"]["vocab"])
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    values["added_tokens"] = [{"id": size, "content": "<mask>", "special": True, **flags}]
    (tmp_path / "tokenizer.json").write_text(json.dumps(values), encoding="utf-8")
    tokenizer = Tokenizer.load(tmp_path)
    assert tokenizer.size == size + 1
    assert size not in tokenizer.encode("dog <mask>")


PROGRAMS = {
    "a regular expression without end": {"type": "Replace", "pattern": {"Regex": "(a+)+$|(x*)*y"}, "content": ""},
    "one that is none": {"type": "Replace", "pattern": {"Regex": "(?<=a*)["}, "content": ""},
    "replacements that grow": {
        "type": "Sequence",
        "normalizers": [{"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 1000}] * 8,
    },
    "a kind of another version": {"type": "Precompiled", "precompiled_charsmap": "AAAA"},
}


@pytest.mark.parametrize("part", ["normalizer", "pre_tokenizer", "post_processor", "decoder"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_rules_in_a_file_are_not_run(program: str, part: str, whole: Tokenizer, tmp_path: Path) -> None:
    values = json.loads((DATA / "whole_names.json").read_text(encoding="utf-8"))
    (tmp_path / "tokenizer.json").write_text(json.dumps(values | {part: PROGRAMS[program]}), encoding="utf-8")
    tokenizer = Tokenizer.load(tmp_path)
    assert tokenizer.encode("Dining table " + "a" * 60) == whole.encode("Dining table " + "a" * 60)


FAULTS = {
    "a model of another kind": ({"tokenizer.json": '{"model": {"type": "WordLevel", "vocab": {"a": 0}}}'}, "WordLevel"),
    "a piece without a number": (
        {"tokenizer.json": '{"model": {"type": "Unigram", "vocab": [["a", "x"]], "unk_id": 0}}'},
        "a text and its log-probability",
    ),
    "a piece of no finite number": (
        {"tokenizer.json": '{"model": {"type": "Unigram", "vocab": [["a", NaN]], "unk_id": 0}}'},
        "a text and its log-probability",
    ),
    "empty folder": ({}, "no tokenizer in"),
    "half a layout": ({"vocab.json": '{"a": 0}'}, "has vocab.json alone"),
    "no JSON": ({"tokenizer.json": "{"}, "is no JSON"),
    "deep JSON": ({"tokenizer.json": "[" * 100_000}, "is no JSON"),
    "a list": ({"tokenizer.json": "[]"}, "holds a list"),
    "no model": ({"tokenizer.json": "{}"}, "has no model"),
    "an unknown model": ({"tokenizer.json": '{"model": {"type": "Nothing"}}'}, "tokenizer.json"),
    "merges of another kind": (
        {"tokenizer.json": '{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": 5}, "pre_tokenizer": "ByteLevel"}'},
        "merges are no list",
    ),
    "an unknown piece beyond the list": (
        {"tokenizer.json": '{"model": {"type": "Unigram", "vocab": [["a", 0.0]], "unk_id": 1}}'},
        "unk_id 1",
    ),
    "not UTF-8": ({"tokenizer.json": b"\xff\xfe"}, "not UTF-8"),
    "no number": ({"vocab.json": '{"a": "0"}', "merges.txt": ""}, "an id is no number"),
    "a truth value": ({"vocab.json": '{"a": true}', "merges.txt": ""}, "an id is no number"),
    "a huge id": ({"vocab.json": '{"a": 99999999999}', "merges.txt": ""}, "an id is no number"),
    "a shared id": ({"vocab.json": '{"a": 1, "b": 1}', "merges.txt": ""}, "two tokens share an id"),
    "an empty vocabulary": ({"vocab.json": "{}", "merges.txt": ""}, "no vocabulary"),
    "a merge of three": ({"vocab.json": '{"a": 0}', "merges.txt": "#version\na b c\n"}, "merges.txt line 2"),
    "a merge of the unknown": ({"vocab.json": '{"a": 0}', "merges.txt": "a b\n"}, "do not fit"),
    "a strange dictionary": (
        {"encoder.json": '{"a": 0}', "vocab.bpe": "", "dict.txt": "0 5\n77 5\n"},
        "dict.txt line 2",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_files_that_are_no_tokenizer_are_refused_in_one_line(fault: str, tmp_path: Path) -> None:
    files, message = FAULTS[fault]
    for name, content in files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TokenizerError, match=message) as caught:
        Tokenizer.load(tmp_path)
    assert "\n" not in caught.value.message


def test_an_absurdly_large_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "tokenizer.json").open("wb") as file:
        file.truncate(module.MAX_BYTES + 1)
    with pytest.raises(TokenizerError, match="at most 32 MB"):
        Tokenizer.load(tmp_path)
