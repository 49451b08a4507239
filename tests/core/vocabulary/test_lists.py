"""The shipped lists against what is published about them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ifseg_cli.core.errors import CategoryError
from ifseg_cli.core.vocabulary.lists import LABELS, list_names, shipped_list
from ifseg_cli.core.vocabulary.reader import Reader
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer
from ifseg_cli.core.vocabulary.vocabulary import build_vocabulary

SIZES = {
    "ade20k": 150,
    "ade20k-ifseg": 150,
    "camvid": 11,
    "cityscapes": 19,
    "coco-panoptic": 133,
    "coco-stuff": 171,
    "coco-stuff-27": 27,
    "coco-stuff-ifseg": 171,
    "coco-unseen": 15,
    "coco-unseen-ifseg": 15,
    "context": 60,
    "context-59": 59,
    "scenes": 28,
    "voc": 21,
    "voc-20": 20,
}
REFERENCE = json.loads(
    (Path(__file__).parents[2] / "data" / "tokenizer" / "tokenization.json").read_text(encoding="utf-8")
)


def test_all_lists_are_there_with_their_sizes() -> None:
    assert {name: len(shipped_list(name).categories) for name in list_names()} == SIZES


@pytest.mark.parametrize("name", SIZES)
def test_a_list_is_a_vocabulary(name: str, ofa: Tokenizer) -> None:
    entry = shipped_list(name)
    made = build_vocabulary(entry.categories, Reader(ofa, "what?", 1024), name)
    assert len(set(made.names)) == len(made.names) == SIZES[name]
    assert made.mask_values == tuple(each["raw_id"] for each in entry.entries)
    assert made.ignore_value == 255
    assert not set(made.mask_values) & set(entry.ignore_raw)
    assert entry.title and entry.source and entry.licence and entry.masks
    notice = (LABELS / "NOTICE.md").read_text(encoding="utf-8")
    assert name in notice, "its source and licence stand in the notice"


@pytest.mark.parametrize(
    ("name", "reference"),
    [("ade20k-ifseg", "ade"), ("coco-stuff-ifseg", "coco_fine"), ("coco-unseen-ifseg", "coco_unseen")],
)
def test_the_published_lists_give_the_published_source_ids(name: str, reference: str, ofa: Tokenizer) -> None:
    entry, wanted = shipped_list(name), REFERENCE["lists"][reference]
    made = build_vocabulary(entry.categories, Reader(ofa, entry.extra["prompt"], 1024), name)
    assert list(made.prompt_ids) == wanted["source_ids"]
    assert [list(names[0]) for names in made.piece_ids] == [each["ids"] for each in wanted["names"][:-1]]


def test_what_evaluation_needs_is_kept() -> None:
    assert len(shipped_list("coco-unseen").extra["seen"]) == 156
    assert len(shipped_list("coco-stuff-27").extra["fine_raw_to_coarse"]) == 182
    assert len(shipped_list("coco-stuff").extra["gap_raw_ids"]) == 11
    assert len(shipped_list("cityscapes").extra["all_labels"]) == 35
    assert len(shipped_list("context-59").extra["order_voc_first"]) == 59
    assert "television" in shipped_list("ade20k-ifseg").entries[89]["aliases"]


def test_the_ignored_values_of_cityscapes_are_the_others() -> None:
    entry = shipped_list("cityscapes")
    raw = {label["raw_id"] for label in entry.extra["all_labels"]}
    assert raw - {each.raw_id for each in entry.categories} == set(entry.ignore_raw) - {255}


def test_an_unknown_list_names_the_others() -> None:
    with pytest.raises(CategoryError, match="ade20k"):
        shipped_list("nothing")
