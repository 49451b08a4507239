"""Prompt, rows, findings, and the vocabulary as a file."""

from __future__ import annotations

import copy
import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ifseg_cli.core.errors import CategoryError
from ifseg_cli.core.vocabulary.category import Category
from ifseg_cli.core.vocabulary.files import categories_from_names
from ifseg_cli.core.vocabulary.findings import near_synonyms
from ifseg_cli.core.vocabulary.inspection import inspect_categories
from ifseg_cli.core.vocabulary.known import KnownWords
from ifseg_cli.core.vocabulary.prompt import prompt_ids
from ifseg_cli.core.vocabulary.reader import Reader
from ifseg_cli.core.vocabulary.rows import category_rows
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary, build_vocabulary, read_all, vocabulary_findings

PROMPT = "what is the segmentation map of the image? object:"


def reads(tokenizer: Tokenizer, limit: int = 1024, known: KnownWords | None = None, allow: bool = False) -> Reader:
    return Reader(tokenizer, PROMPT, limit, known, allow)


def build(names: list[str], tokenizer: Tokenizer, **options: object) -> Vocabulary:
    return build_vocabulary(categories_from_names(names), reads(tokenizer, **options), "test")


def kinds(names: list[str], tokenizer: Tokenizer, known: KnownWords | None = None, allow: bool = False) -> set[str]:
    categories = categories_from_names(names)
    _, _, found = vocabulary_findings(categories, reads(tokenizer, 1024, known, allow))
    return {f"{finding.level} {finding.kind}" for finding in found}


def test_the_prompt_is_the_question_the_first_names_and_unknown(ofa: Tokenizer) -> None:
    made = build(["tv, television", "crt screen"], ofa)
    assert made.prompt_ids == (0, *ofa.encode(f"{PROMPT} tv crt screen unknown"), 2)
    assert made.piece_ids == ((tuple(ofa.encode("tv")), tuple(ofa.encode("television"))), ((3977, 90, 2441),))
    assert prompt_ids(ofa, PROMPT, []) == (0, *ofa.encode(f"{PROMPT} unknown"), 2)


def test_a_synonym_weighs_as_much_as_the_name_whatever_its_length(ofa: Tokenizer) -> None:
    weight = torch.randn(ofa.size, 4, generator=torch.Generator().manual_seed(0))
    readings = read_all(categories_from_names(["tv, crt screen"]), reads(ofa))
    expected = (weight[ofa.encode("tv")].mean(0) + weight[ofa.encode("crt screen")].mean(0)) / 2
    assert len(ofa.encode("crt screen")) == 3
    ids = [[reading.ids for reading in names] for names in readings]
    torch.testing.assert_close(category_rows(weight, ids), expected[None])


def test_a_prompt_over_the_limit_is_refused_with_its_longest_names(ofa: Tokenizer) -> None:
    categories = categories_from_names(["supercalifragilisticexpialidocious", *(f"thing {n}" for n in range(40))])
    with pytest.raises(CategoryError, match=r"at most 50.*supercalifragilisticexpialidocious' \(11\)"):
        build_vocabulary(categories, reads(ofa, 50), "test")
    length = len(prompt_ids(ofa, PROMPT, [ofa.encode(category.name) for category in categories]))
    assert len(build_vocabulary(categories, reads(ofa, length), "test").prompt_ids) == length
    with pytest.raises(CategoryError, match="at most"):
        build_vocabulary(categories, reads(ofa, length - 1), "test")


def test_mask_values_are_raw_ids_or_indices(ofa: Tokenizer) -> None:
    assert build(["cat", "dog"], ofa).mask_values == (0, 1)
    made = build(["80 cat", "3 dog"], ofa)
    assert (made.mask_values, made.ignore_value) == ((80, 3), 255)
    assert build(["80 cat", "300 dog"], ofa).ignore_value == 65535


@pytest.mark.parametrize(("count", "ignore"), [(255, 255), (256, 65535)])
def test_masks_need_16_bits_from_256_categories_on(count: int, ignore: int) -> None:
    colours = tuple((at // 256, at % 256, 0) for at in range(count))
    made = Vocabulary(tuple(Category(f"n{at}") for at in range(count)), (0,), (((5,),),) * count, colours, "test")
    assert made.ignore_value == ignore


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["cat", "dog", "cat"], "'cat' stands there 2 times"),
        (["<seg_3>", "cat"], "a symbol of the published program"),
        (["cat <seg_x>", "dog"], "cannot read 'cat <seg_x>'"),
    ],
)
def test_a_list_with_an_error_is_refused(names: list[str], message: str, ofa: Tokenizer) -> None:
    with pytest.raises(CategoryError, match=message):
        build(names, ofa)


def test_no_category_at_all_is_refused(ofa: Tokenizer) -> None:
    with pytest.raises(CategoryError, match="no categories"):
        build_vocabulary([], reads(ofa, 1024), "test")


def test_what_the_base_does_not_know_is_refused_or_shares_the_unknown_row(whole: Tokenizer, known: KnownWords) -> None:
    with pytest.raises(CategoryError, match=r"does not know 1 of the names: 'hors wagon' \(nearest.*--allow-unknown"):
        build(["dog", "hors wagon"], whole, known=known)
    made = build(["dog", "hors wagon"], whole, known=known, allow=True)
    assert made.piece_ids[1] == ((whole.unk, whole.unk),)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["dog", "grass"], set()),
        (["dog", "dogs", "grass"], {"warning same-tokens"}),
        (["dog", "Dog", "grass"], {"warning same-tokens"}),
        (["tv", "television", "sky"], {"warning same-tokens"}),
        (["dog, cat", "cat", "sky"], {"warning shared-name"}),
        (["dog", "dog", "grass"], {"error duplicate"}),
        (["dog", "cat"], {"warning background"}),
        (["grass"], {"warning single"}),
        (["zebra", "sky"], {"error unknown"}),
        (["dog, hound", "sky"], {"error unknown"}),
    ],
)
def test_findings_with_known_words(names: list[str], expected: set[str], whole: Tokenizer, known: KnownWords) -> None:
    assert kinds(names, whole, known) == expected


def test_unknown_names_become_a_warning(whole: Tokenizer, known: KnownWords) -> None:
    assert kinds(["zebra", "gnu", "sky"], whole, known, allow=True) == {"warning unknown"}


def test_findings_without_known_words(ofa: Tokenizer) -> None:
    assert kinds(["dog", "cat"], ofa) == set()
    assert kinds(["supercalifragilisticexpialidocious thing", "cat"], ofa) == {"warning long"}


def test_errors_come_first(whole: Tokenizer, known: KnownWords) -> None:
    categories = categories_from_names(["dog, cat", "cat", "zebra"])
    _, _, found = vocabulary_findings(categories, reads(whole, known=known))
    assert [finding.level for finding in found] == sorted(finding.level for finding in found)
    assert found[0].level == "error" and found[-1].level == "warning"


def test_near_synonyms_are_pairs_over_the_threshold_nearest_first() -> None:
    rows = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [3.0, 0.0]])
    found = near_synonyms(["a", "b", "c", "d"], rows)
    assert [finding.names for finding in found] == [("a", "d"), ("b", "d"), ("a", "b")] or [
        finding.names for finding in found
    ] == [("a", "d"), ("a", "b"), ("b", "d")]
    assert near_synonyms(["a", "b", "c"], rows[:3], threshold=0.999) == []


def test_inspection_tells_all_and_neighbours(whole: Tokenizer, known: KnownWords) -> None:
    weight = torch.randn(whole.size, 8, generator=torch.Generator().manual_seed(0))
    weight[whole.encode("cat")] = weight[whole.encode("dog")] * 2
    categories = categories_from_names(["dog", "cat", "sky", "zebra", "gnu"])
    seen = inspect_categories(categories, reads(whole, known=known), weight)
    assert seen.categories[0].nearest[0][0] == "cat"
    assert seen.categories[0].nearest[0][1] == pytest.approx(1)
    assert seen.categories[3].nearest == ()
    assert seen.errors == 1
    assert [finding.kind for finding in seen.findings] == ["unknown", "near"]
    assert json.loads(json.dumps(seen.to_json()))["categories"][1]["names"][0]["known"] == "tree"


words = st.sampled_from(("cat", "dog", "grass", "sky", "tv", "television", "crt", "screen", "犬", "naïve", "stone"))
lines = st.lists(st.lists(words, min_size=1, max_size=3, unique=True), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(lines, st.booleans(), st.booleans())
def test_a_vocabulary_comes_back_from_its_file(ofa: Tokenizer, entries: list, raw: bool, coloured: bool) -> None:
    firsts = dict.fromkeys(names[0] for names in entries)
    categories = [
        Category(
            names[0],
            tuple(names[1:]),
            300 + at if raw else None,
            (1, 2, at) if coloured else None,
            at + 1 if raw else None,
        )
        for at, names in enumerate(entries)
        if names[0] in firsts and [each[0] for each in entries].index(names[0]) == at
    ]
    try:
        made = build_vocabulary(categories, reads(ofa, 1024), "cats.txt")
    except CategoryError as error:
        assert "one category of several" in error.message
        return
    assert Vocabulary.from_json(json.loads(json.dumps(made.to_json()))) == made


@pytest.mark.parametrize(
    "spoil",
    [
        lambda v: v.update(extra=1),
        lambda v: v.pop("source"),
        lambda v: v.update(format=99),
        lambda v: v.update(ignore_value=65535),
        lambda v: v.update(prompt_ids=["a"]),
        lambda v: v.update(prompt_ids=5),
        lambda v: v.update(categories=[]),
        lambda v: v.update(categories=[5]),
        lambda v: v["categories"][0].update(extra=1),
        lambda v: v["categories"][0].pop("name"),
        lambda v: v["categories"][0].update(name="\x1b"),
        lambda v: v["categories"][0].update(raw_id=70000),
        lambda v: v["categories"][0].update(colour="red"),
        lambda v: v["categories"][0].update(colour=v["categories"][1]["colour"]),
        lambda v: v["categories"][0].update(piece_ids=[]),
        lambda v: v["categories"][0].update(piece_ids=[[]]),
        lambda v: v["categories"][0].update(piece_ids=[[-1]]),
    ],
)
def test_a_spoilt_vocabulary_file_is_refused(spoil: object, ofa: Tokenizer) -> None:
    values = copy.deepcopy(build(["cat", "dog"], ofa).to_json())
    spoil(values)  # type: ignore[operator]
    with pytest.raises(CategoryError) as caught:
        Vocabulary.from_json(values)
    assert "\n" not in caught.value.message
