"""The 1,000 classes of ImageNet in WordNet's tree: which class has which names, which lie under a word."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from builtin.wordnet import WordNet

SYNSETS = Path(__file__).with_name("imagenet_synsets.txt")
SENSES = 3  # senses of a word that are looked at: what comes later is rarely meant


class Classes:
    """The classes, numbered 0..999 as the classifier's outputs are."""

    def __init__(self, wordnet: WordNet) -> None:
        self.wordnet = wordnet
        self.synsets = [line[1:] for line in SYNSETS.read_text().split()]
        self.under_synset: dict[str, list[int]] = defaultdict(list)
        self._named: dict[str, list[int]] = defaultdict(list)
        for number, synset in enumerate(self.synsets):
            for above in wordnet.ancestors(synset):
                self.under_synset[above].append(number)
            for lemma in wordnet.synsets[synset].lemmas:
                self._named[lemma].append(number)

    def sense(self, word: str) -> str | None:
        """The synset among a word's first three that has the most classes under it, or None if none has any."""
        senses = self.wordnet.senses.get(word.lower(), [])[:SENSES]
        best = max(senses, key=lambda synset: len(self.under_synset.get(synset, ())), default=None)
        return best if best in self.under_synset else None

    def under(self, word: str) -> list[int]:
        """Classes under a word in WordNet's tree; empty if there are none."""
        synset = self.sense(word)
        return self.under_synset[synset] if synset else []

    def named(self, name: str) -> int:
        """The class with this lemma ("lab coat"), or with this lemma and number ("crane 517").

        Raises:
            ValueError: no such class, or several.
        """
        lemma, _, number = name.rpartition(" ")
        if number.isdigit():
            if int(number) not in self._named.get(lemma, ()):
                raise ValueError(f"class {number} is not called {lemma!r}")
            return int(number)
        found = self._named.get(name) or [
            k for lemma, ks in self._named.items() if lemma.lower() == name.lower() for k in ks
        ]
        if len(set(found)) != 1:
            choices = ", ".join(f"{name} {k}" for k in sorted(set(found)))
            raise ValueError(f"{name!r}: {'say which: ' + choices if found else 'no ImageNet class of this name'}")
        return found[0]
