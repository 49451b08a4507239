from __future__ import annotations

import json
from pathlib import Path

import pytest
from builtin import tokens
from builtin.classes import Classes
from builtin.wordnet import INSTALLED, WordNet
from builtin.words import Words, build

from ifseg_cli.core.bases.ofa.config import PROMPT
from ifseg_cli.core.vocabulary.known import KnownWords
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def wordnet() -> WordNet:
    if not (INSTALLED / "data.noun").is_file():
        pytest.skip("needs WordNet 3.0: apt-get install wordnet-base")
    return WordNet(INSTALLED)


@pytest.fixture(scope="module")
def words(wordnet) -> Words:
    return build(wordnet)


def test_classes_lie_under_their_hypernyms(wordnet):
    classes = Classes(wordnet)
    assert len(classes.synsets) == 1000
    assert len(classes.under("dog")) == 118
    assert classes.named("tabby") in classes.under("cat")
    assert classes.named("crane 517") == 517
    with pytest.raises(ValueError, match=r"crane 134.*crane 517"):
        classes.named("crane")
    with pytest.raises(ValueError, match="no ImageNet class"):
        classes.named("unicorn")


def test_a_canonical_word_stands_for_itself_with_the_same_evidence(words):
    for surface, word in words.known.items():
        target = words.known[word.canonical]
        assert target.canonical == word.canonical, surface
        assert target.anchor == word.anchor, surface


def test_every_word_has_classes_and_thousands_are_known(words):
    assert all(word.anchor.classes for word in words.known.values())
    assert 4000 < len(words.known) < 9000


@pytest.mark.parametrize(
    ("surface", "canonical"),
    [
        ("puppy", "dog"),
        ("lawn", "grass"),
        ("oak", "tree"),
        ("teacher", "person"),
        ("mice", "mouse"),
        ("couch", "sofa"),
        ("men", "man"),
    ],
)
def test_synonyms_kinds_and_plurals_point_to_what_they_stand_for(words, surface, canonical):
    assert words.known[surface].canonical == canonical


@pytest.mark.parametrize("abstract", ["love", "time", "justice"])
def test_what_cannot_be_seen_is_unknown(words, abstract):
    assert abstract not in words.known


def test_grass_is_stuff_and_a_dog_is_not(words):
    assert words.known["grass"].stuff
    assert words.known["grass"].how == "texture"
    assert not words.known["dog"].stuff


def test_a_mistake_in_the_lexicon_is_named(wordnet, tmp_path):
    path = tmp_path / "lexicon.yaml"
    path.write_text("sky:\n  classes: airliner, unicorn\nsea:\n  texture: wet\n  classes: pier\n")
    with pytest.raises(SystemExit, match=r"sky: 'unicorn'(.|\n)*sea: no texture 'wet'"):
        build(wordnet, path)


def test_each_row_is_one_piece_and_the_product_reads_it(words, tmp_path):
    tokenizer, pieces = tokens.build(words.canonical)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "words.json").write_text(json.dumps(words.to_json()))
    read, known = Tokenizer.load(tmp_path / "tokenizer.json"), KnownWords.read(tmp_path / "words.json")
    assert pieces[:4] == ["<s>", "<pad>", "</s>", "<unk>"]
    for surface in words.known:
        resolved = known.resolve(surface)
        assert resolved is not None
        ids = read.encode(resolved[0])
        assert len(ids) == 1
        assert pieces[ids[0]] == tokens.piece(words.known[surface].canonical)
    assert tokens.SPECIAL.index("<unk>") not in read.encode(PROMPT)
    assert tokens.SPECIAL.index("<unk>") in read.encode("zyzzyva")
    assert read.encode("Dining-Table") == read.encode("dining  table")


def test_names_of_the_photographs_are_known(words, tmp_path):
    from measuring.pictures import clean

    shared = Path(__file__).resolve().parents[3] / "shared" / "data" / "coco128"
    if not shared.is_dir():
        pytest.skip("needs ../shared/data/coco128: the first 128 images of COCO val2017 with their panoptic masks")
    (tmp_path / "words.json").write_text(json.dumps(words.to_json()))
    known = KnownWords.read(tmp_path / "words.json")
    names = [clean(name) for value, name in json.loads((shared / "classes.json").read_text()).items() if value != "0"]
    for vocabulary in json.loads((shared / "vocabularies.json").read_text()).values():
        names += vocabulary
    assert [name for name in names if known.resolve(name) is None] == []
