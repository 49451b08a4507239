"""Every word the built-in base knows, and what it knows it by.

A word is known, in this order, by
    lexicon / texture   `lexicon.yaml`: classes it is seen with, perhaps a drawn texture
    class               one ImageNet class
    tree                the ImageNet classes under it in WordNet's tree
    tree (from below)   the nearest known word above it: "puppy" is a kind of dog
Synonyms, irregular plurals and the names in `aliases.yaml` point to the canonical word whose row they share.
Words with equal evidence share one *anchor*.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from builtin import rest
from builtin.classes import Classes
from builtin.wordnet import ANIMAL, ARTIFACT, FOOD, PLANT, VISIBLE, WordNet

LEXICON = Path(__file__).with_name("lexicon.yaml")
ALIASES = Path(__file__).with_name("aliases.yaml")
KEYS = {"also", "classes", "under", "tree", "texture", "stuff", "height", "sense"}
MOST_CLASSES = 400  # a word with more is about everything; "animal" has 398
# Words from below land on the lexicon, or on words of the tree that are no vaguer than this many classes.
LANDING_CLASSES = {ANIMAL: 120, PLANT: 120, FOOD: 40, ARTIFACT: 15}
LANDING_STEPS = {ANIMAL: 3, PLANT: 3, FOOD: 2, ARTIFACT: 2}
LEXICON_STEPS = 8
COMMON = 20  # tags in WordNet's texts from which on a word is weighed like one of the lexicon
# Tags from which on a word is common enough to be taken in from below; of people WordNet knows thousands.
SEEN, SEEN_ALIVE, SEEN_PERSON = 2, 1, 8
SHORTEST = 3


@dataclass(frozen=True)
class Anchor:
    """Evidence a word is known by: ImageNet classes, and a drawn texture or none."""

    classes: tuple[int, ...]
    texture: str | None = None


@dataclass(frozen=True)
class Word:
    """One surface form, lower case."""

    anchor: Anchor
    how: str  # "lexicon", "texture", "class" or "tree"
    canonical: str
    stuff: bool = False
    height: float = 0.0  # where in a picture it is usually seen: 1 above all else, -1 below, 0 anywhere


@dataclass
class Words:
    """All surface forms; grows by the steps of `build`."""

    known: dict[str, Word] = field(default_factory=dict[str, Word])
    heavy: set[Anchor] = field(default_factory=set[Anchor])  # anchors that the space must keep best
    landing: dict[str, str] = field(default_factory=dict[str, str])  # synset of a lexicon word -> the word

    def add(self, surface: str, word: Word) -> None:
        """Take in a surface form unless it is known already."""
        self.known.setdefault(normal(surface), word)

    @property
    def anchors(self) -> list[Anchor]:
        """Distinct evidence, in order of appearance."""
        return list(dict.fromkeys(word.anchor for word in self.known.values()))

    @property
    def canonical(self) -> list[str]:
        """The words that have a row; all others point to one of them."""
        return list(dict.fromkeys(word.canonical for word in self.known.values()))

    def to_json(self) -> dict[str, Any]:
        """As `words.json` holds it."""
        entries = {surface: _entry(surface, word) for surface, word in self.known.items()}
        for surface in rest.entries():
            entries.pop(surface, None)  # whatever WordNet says of it: here it is what is left over
        return {"words": dict(sorted((entries | rest.entries()).items()))}


def normal(surface: str) -> str:
    """Lower case, single spaces, no hyphens or underscores: the form in which words are compared."""
    return re.sub(r"[\s_-]+", " ", surface).strip().lower()


def build(wordnet: WordNet, lexicon: Path = LEXICON) -> Words:
    """All words, from WordNet and the lexicon.

    Raises:
        SystemExit: the lexicon names something that is not there; lists every such line.
    """
    classes = Classes(wordnet)
    words = Words()
    _add_lexicon(words, classes, yaml.safe_load(lexicon.read_text(encoding="utf-8")))
    _add_classes(words, classes)
    _add_tree(words, classes)
    _add_from_below(words, classes)
    _add_plurals(words, wordnet)
    _settle(words)
    _add_aliases(words, yaml.safe_load(ALIASES.read_text(encoding="utf-8")))
    return words


def _add_lexicon(words: Words, classes: Classes, lexicon: dict[str, dict[str, Any]]) -> None:
    mistakes: list[str] = []
    entries: dict[str, Word] = {}
    for name, entry in lexicon.items():
        try:
            entries[name] = _lexicon_word(name, entry, classes)
        except ValueError as error:
            mistakes.append(f"{name}: {error}")
    if mistakes:
        raise SystemExit(f"{LEXICON.name}:\n  " + "\n  ".join(mistakes))
    for name, word in entries.items():  # all heads first: an alias never takes a head's place
        words.add(name, word)
        words.heavy.add(word.anchor)
        if synset := _landing_sense(classes.wordnet, name, lexicon[name].get("sense")):
            words.landing.setdefault(synset, normal(name))
    for name, word in entries.items():
        for alias in _listed(lexicon[name].get("also")):
            words.add(alias, word)


def _lexicon_word(name: str, entry: dict[str, Any], classes: Classes) -> Word:
    from ifseg_cli.scenes.textures import TEXTURES

    if unknown := set(entry) - KEYS:
        raise ValueError(f"unknown key {', '.join(sorted(unknown))}")
    texture = entry.get("texture")
    if texture is not None and texture not in TEXTURES:
        raise ValueError(f"no texture {texture!r}; there are {', '.join(TEXTURES)}")
    members = {classes.named(one) for one in _listed(entry.get("classes"))}
    for above in _listed(entry.get("under")):
        if not classes.under(above):
            raise ValueError(f"no class lies under {above!r}")
        members.update(classes.under(above))
    if entry.get("tree", True):
        members.update(_tree_or_nothing(classes, name))
    if not members:
        raise ValueError("no classes")
    stuff = bool(entry.get("stuff", texture is not None))
    anchor, how = Anchor(tuple(sorted(members)), texture), "texture" if texture else "lexicon"
    return Word(anchor, how, normal(name), stuff, float(entry.get("height", 0)))


def _tree_or_nothing(classes: Classes, word: str) -> list[int]:
    found = classes.under(word)
    return found if len(found) <= MOST_CLASSES // 2 else []


def _add_classes(words: Words, classes: Classes) -> None:
    """ImageNet's own names. Two classes of one name ("crane") stay apart: the first keeps it."""
    for number, synset in enumerate(classes.synsets):
        lemmas = classes.wordnet.synsets[synset].lemmas
        for lemma in lemmas:
            best = classes.under(lemma)
            if (not best or best == [number]) and not classes.wordnet.is_latin(
                lemma
            ):  # "fox" is more than the class that also bears the name
                words.add(lemma, Word(Anchor((number,)), "class", normal(lemmas[0])))


def _add_tree(words: Words, classes: Classes) -> None:
    """Every lemma with 1 to 400 classes under the best of its first three senses."""
    for lemma in classes.wordnet.senses:
        synset = classes.sense(lemma)
        if synset is None or len(classes.under_synset[synset]) > MOST_CLASSES or not lemma[0].isalpha():
            continue
        if classes.wordnet.is_latin(lemma) or normal(lemma) in words.known:
            continue
        if synset in words.landing:  # "somebody" is the lexicon's "person", not its three classes
            words.add(lemma, words.known[words.landing[synset]])
            continue
        anchor = Anchor(tuple(classes.under_synset[synset]))
        canonical = normal(classes.wordnet.synsets[synset].lemmas[0])
        words.add(lemma, Word(anchor, "tree", canonical))
        if classes.wordnet.counts.get(lemma, 0) >= COMMON:
            words.heavy.add(anchor)


def _add_from_below(words: Words, classes: Classes) -> None:
    """Common nouns that are a kind of a known word: each points to the nearest one above its first sense."""
    wordnet = classes.wordnet
    synonyms = {lemma for synset in words.landing for lemma in wordnet.synsets[synset].lemmas}
    for noun in [*sorted(synonyms), *wordnet.counts]:
        if normal(noun) in words.known or len(noun) < SHORTEST or not wordnet.senses.get(noun.lower()):
            continue
        above = _nearest(words, classes, wordnet.senses[noun.lower()][0])
        enough = SEEN_PERSON if above == "person" else SEEN_ALIVE if _alive(wordnet, noun) else SEEN
        if above is not None and (noun in synonyms or wordnet.counts[noun] >= enough):
            word = words.known[above]
            words.add(noun, word)


def _alive(wordnet: WordNet, noun: str) -> bool:
    """Whether a noun's first sense is an animal, a plant or food."""
    return wordnet.synsets[wordnet.senses[noun.lower()][0]].field in (ANIMAL, PLANT, FOOD)


def _nearest(words: Words, classes: Classes, synset: str) -> str | None:
    """The nearest known word at or above a synset, breadth first; None if there is none near enough."""
    synsets = classes.wordnet.synsets
    if synsets[synset].field not in VISIBLE:
        return None
    level = [synset]
    for step in range(LEXICON_STEPS + 1):
        for one in level:
            if one in words.landing:
                return words.landing[one]
            if step <= LANDING_STEPS.get(synsets[one].field, -1) and (found := _landing_word(words, classes, one)):
                return found
        level = [above for one in level for above in synsets[one].hypernyms]
    return None


def _landing_word(words: Words, classes: Classes, synset: str) -> str | None:
    """A known word that means exactly this synset, if the synset is not too vague to stand for what lies below it."""
    under = classes.under_synset.get(synset, [])
    lemmas = [normal(lemma) for lemma in classes.wordnet.synsets[synset].lemmas]
    if not under or len(under) > LANDING_CLASSES.get(classes.wordnet.synsets[synset].field, 0):
        return None
    return next(
        (lemma for lemma in lemmas if lemma in words.known and words.known[lemma].anchor.classes == tuple(under)), None
    )


def _add_plurals(words: Words, wordnet: WordNet) -> None:
    """Irregular plurals of known words; the regular ones are understood where names are read."""
    for many, one in wordnet.irregular.items():
        if normal(one) in words.known:
            words.add(many, words.known[normal(one)])


def _settle(words: Words) -> None:
    """Let every canonical word stand for itself and carry the same evidence as the words that point to it."""
    first: dict[Anchor, str] = {}
    for surface, word in words.known.items():
        first.setdefault(word.anchor, surface)
        if word.canonical == surface:
            first[word.anchor] = surface
    for surface, word in list(words.known.items()):
        target = words.known.get(word.canonical)
        if target is None or target.anchor != word.anchor or target.canonical != word.canonical:
            words.known[surface] = replace(word, canonical=first[word.anchor])
    for head in {word.canonical for word in words.known.values()}:
        words.known[head] = replace(words.known[head], canonical=head)


def _add_aliases(words: Words, aliases: dict[str, str]) -> None:
    """Names that are read as another word, by hand; last, so that they change no other word."""
    if missing := [f"{alias}: {word}" for alias, word in aliases.items() if normal(word) not in words.known]:
        raise SystemExit(f"{ALIASES.name} names words that are not known: {', '.join(missing)}")
    if taken := [alias for alias in aliases if normal(alias) in words.known]:
        raise SystemExit(f"{ALIASES.name} names words that are known already: {', '.join(taken)}")
    for alias, word in aliases.items():
        words.add(alias, words.known[normal(word)])


def _landing_sense(wordnet: WordNet, word: str, sense: int | None) -> str | None:
    """The sense (1, 2 ...; 0 for none) that is asked for, or the first of three that is something one can see."""
    senses = wordnet.senses.get(word, [])[:3]
    if sense is not None:
        return wordnet.senses[word][sense - 1] if sense else None
    return next((synset for synset in senses if wordnet.synsets[synset].field in VISIBLE), None)


def _listed(value: str | None) -> list[str]:
    return [one.strip() for one in value.split(",")] if value else []


def _entry(surface: str, word: Word) -> dict[str, Any]:
    entry: dict[str, Any] = {"how": word.how}
    if word.canonical != surface:
        entry["canonical"] = word.canonical
    if word.stuff:
        entry["stuff"] = True
    if word.height:
        entry["height"] = word.height
    return entry
