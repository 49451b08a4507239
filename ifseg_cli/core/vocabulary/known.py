"""The words a base knows, when it says so (`words.json`), and what to do with one it does not know.

A published OFA reads any word by its pieces and ships no such file. The built-in base knows a list of names:

    {"words": {"tv": {"how": "tree", "canonical": "television"},
               "road": {"how": "texture", "stuff": true, "height": -1}, ...}}

`how` is where its meaning comes from (class, tree, lexicon, texture; or rest: what no other name claims), `canonical`
the word whose vector it shares
(a synonym or plural; left out = itself), `stuff` whether it is a surface (grass, sky) rather than an object, `height`
where in a picture it is usually seen: 1 above all else (sky), -1 below (road), 0 or left out = anywhere.

A name that is not in the list is tried with its case, hyphens and underscores levelled; as a regular English plural
or singular; joined or split (`tea pot`, `teapot`); without what data sets hang on their names (`water-other`,
`fence-merged`); as a compound, every word of which is known (`stone wall`); and last by its head alone, the word that
says what it is: the last one (`swivel chair`), or the first one before a hyphen (`wall-panel`).
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ifseg_cli.core.errors import CategoryError, CheckpointError, listed
from ifseg_cli.core.files import read_small

MAX_BYTES = 8 << 20  # of a list of words; that of the built-in base has half a megabyte

HOW = ("class", "tree", "lexicon", "texture", "rest")
HEAD, PIECES = "head", "pieces"  # how a name is known whose head alone, or all of whose words, are known
HUNG_ON = frozenset({"other", "merged", "stuff", "thing", "things"})  # by data sets, on names
MAX_WORDS = 6  # words in a compound that is looked at
LISTED = 12  # unknown names that an error gives with their nearest known words


@dataclass(frozen=True)
class Word:
    """One known word: where its meaning comes from, the word whose vector it shares, object or surface."""

    how: str
    canonical: str
    stuff: bool
    height: float = 0.0


class KnownWords:
    """What a base knows, and the nearest to what it does not."""

    def __init__(self, words: dict[str, Word]) -> None:
        """`words` maps a surface, lower case with single spaces, to what it is."""
        self.words = words
        self._joined = {surface.replace(" ", ""): surface for surface in words if " " in surface}
        self._grams: dict[str, Counter[str]] = {}

    @classmethod
    def read(cls, path: Path) -> KnownWords:
        """Read a base's `words.json`.

        Raises:
            CheckpointError: malformed, or a key or value it does not have.
        """
        try:
            values = json.loads(read_small(path, MAX_BYTES))
            return cls({surface: _read_word(surface, entry) for surface, entry in values["words"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            found = f"cannot read {path}: {type(error).__name__}: {error}"
            raise CheckpointError(found, 'an object {"words": {word: {"how": ...}}}') from error

    def to_json(self) -> dict[str, Any]:
        """What `read` reads."""
        entries: dict[str, Any] = {}
        for surface, word in self.words.items():
            entry = {"how": word.how, "canonical": word.canonical, "stuff": word.stuff}
            entries[surface] = entry | ({"height": word.height} if word.height else {})
        return {"words": entries}

    def resolve(self, name: str) -> tuple[str, str] | None:
        """The text to encode, and how it is known: one of `HOW`, `PIECES` or `HEAD`. None = unknown."""
        level = _level(name)
        for form in dict.fromkeys((level, _without_hung_on(level))):
            if word := self._look_up(form):
                return word.canonical, word.how
            parts = self._compound(form.split())
            if parts:
                return " ".join(parts), PIECES
        head = self._head(name, level.split())
        return (head.canonical, HEAD) if head else None

    def _head(self, name: str, words: list[str]) -> Word | None:
        """The known word that says what a compound is, its other words unknown."""
        if not 1 < len(words) <= MAX_WORDS:
            return None
        hyphened = "-" in name and " " not in name.strip()
        stretches = [" ".join(words[at:]) for at in range(1, len(words))]
        if hyphened:
            stretches = [" ".join(words[:end]) for end in range(len(words) - 1, 0, -1)]
        return next((word for stretch in stretches if (word := self._look_up(stretch))), None)

    def is_stuff(self, name: str) -> bool | None:
        """Whether a known name is a surface; of a compound its last word decides. None = unknown."""
        word = self._word(name)
        return word.stuff if word else None

    def heights(self, names: Iterable[str]) -> tuple[float, ...]:
        """Where in a picture each name is usually seen, -1..1, 0 anywhere; of a compound its last word decides."""
        words = (self._word(name) for name in names)
        return tuple(word.height if word else 0.0 for word in words)

    def _word(self, name: str) -> Word | None:
        found = self.resolve(name)
        return (self.words.get(found[0]) or self.words.get(found[0].split()[-1])) if found else None

    def _look_up(self, level: str) -> Word | None:
        for form in _forms(level):
            if word := self.words.get(form) or self.words.get(self._joined.get(form, "")):
                return word
        return None

    def _compound(self, words: list[str]) -> list[str] | None:
        """Canonical words of the longest known stretches from the left; None if a word stays unknown."""
        if not 1 < len(words) <= MAX_WORDS:
            return None
        parts: list[str] = []
        while words:
            for length in range(len(words), 0, -1):
                if found := self._look_up(" ".join(words[:length])):
                    parts.append(found.canonical)
                    words = words[length:]
                    break
            else:
                return None
        return parts

    def by_how(self) -> dict[str, list[str]]:
        """The known words by where their meaning comes from."""
        groups: dict[str, list[str]] = {}
        for surface, word in self.words.items():
            groups.setdefault(word.how, []).append(surface)
        return groups

    def nearest(self, name: str, n: int = 3) -> list[str]:
        """The `n` known words most alike in spelling, best first.

        Letter pairs in common pick 60 of the whole list; only those are compared letter by letter.
        """
        if not self._grams:
            self._grams = {word: _pairs(word) for word in self.words}
        wanted = _pairs(_level(name))
        total = sum(wanted.values())

        def alike(word: str) -> float:
            grams = self._grams[word]
            return 2 * sum((wanted & grams).values()) / (total + sum(grams.values()))

        best = sorted(self.words, key=alike, reverse=True)[:60]
        return difflib.get_close_matches(_level(name), best, n, cutoff=0.4)

    def refuse(self, names: Sequence[str]) -> CategoryError:
        """The one error for all unknown names: each with its nearest known words, and the two ways on."""
        told = [f"{name!r} ({_near(self.nearest(name))})" for name in names[:LISTED]]
        found = f"the base does not know {len(names)} of the names: {listed(told, LISTED)}"
        found += f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        remedy = "correct them, choose a base that reads any word with --base, or go on with --allow-unknown"
        return CategoryError(found, remedy=remedy)


def _read_word(surface: str, entry: dict[str, Any]) -> Word:
    if unknown := set(entry) - {"how", "canonical", "stuff", "height"}:
        raise ValueError(f"{surface!r} has unknown keys {sorted(unknown)}")
    if entry["how"] not in HOW:
        raise ValueError(f"{surface!r} is known by {entry['how']!r}, not by one of {', '.join(HOW)}")
    height = float(entry.get("height", 0))
    if not -1 <= height <= 1:
        raise ValueError(f"{surface!r} is usually seen at height {height}, not in -1..1")
    stuff = bool(entry.get("stuff", False))
    return Word(cast("str", entry["how"]), str(entry.get("canonical", surface)), stuff, height)


def _level(name: str) -> str:
    """Lower case, hyphens and underscores as spaces, white space as one space."""
    return " ".join(name.lower().replace("-", " ").replace("_", " ").split())


def _without_hung_on(level: str) -> str:
    """`floor other merged` as `floor`; a name of such words alone stays as it is."""
    words = level.split()
    kept = [word for word in words if word not in HUNG_ON]
    return " ".join(kept) if kept else level


def _forms(level: str) -> Iterator[str]:
    """Spellings to look up, the likeliest first: as it is, singular, plural, joined."""
    yield level
    head, _, last = level.rpartition(" ")
    stem = f"{head} " if head else ""
    for form in (*_singulars(last), *_plurals(last)):
        yield stem + form
    if " " in level:
        yield level.replace(" ", "")


def _singulars(word: str) -> Iterator[str]:
    """Regular English only: boxes, cherries, knives, dogs."""
    if word.endswith("ies") and len(word) > 4:
        yield word[:-3] + "y"
    if word.endswith("ves") and len(word) > 4:
        yield word[:-3] + "f"
        yield word[:-3] + "fe"
    if word.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        yield word[:-2]
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        yield word[:-1]
    if word.endswith("men"):
        yield word[:-2] + "an"


def _plurals(word: str) -> Iterator[str]:
    """For words that are listed in the plural alone (scissor, stair)."""
    if word.endswith("y") and len(word) > 2:
        yield word[:-1] + "ies"
    yield word + ("es" if word.endswith(("s", "x", "z", "ch", "sh")) else "s")


def _pairs(word: str) -> Counter[str]:
    edged = f" {word} "
    return Counter(edged[at : at + 2] for at in range(len(edged) - 1))


def _near(words: list[str]) -> str:
    return f"nearest: {', '.join(words)}" if words else "nothing near"
