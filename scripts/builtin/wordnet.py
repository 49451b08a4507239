"""WordNet 3.0's nouns: which word has which senses, and what lies under what.

Reads the database files as Princeton publishes them (`index.noun`, `data.noun`, `noun.exc`, `cntlist.rev`), the ones in
Debian's package wordnet-base. If they are not installed, the package is fetched with `apt-get download` and unpacked
into the work folder; nothing is installed.
"""

from __future__ import annotations

import subprocess
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

INSTALLED = Path("/usr/share/wordnet")
HYPERNYM = ("@", "@i")  # "is a kind of", "is an instance of"
# Fields (lexnames(5WN)) of things that can be seen: the top, animal, artifact, body, food, location, object, person,
# plant, substance.
TOP, ANIMAL, ARTIFACT, FOOD, PLANT = 3, 5, 6, 13, 20
VISIBLE = frozenset({TOP, ANIMAL, ARTIFACT, 8, FOOD, 15, 17, 18, PLANT, 27})


@dataclass(frozen=True)
class Synset:
    """One meaning: its lemmas (spaces, not underscores), the synsets it is a kind of, and its field."""

    lemmas: tuple[str, ...]
    hypernyms: tuple[str, ...]
    field: int  # lexicographer file (lexnames(5WN)): 5 animals, 6 artifacts ...


class WordNet:
    """The nouns of WordNet. A synset is named by its offset of eight digits, as in ImageNet's `n02084071`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.synsets = dict(_synset(line) for line in _lines(folder / "data.noun"))
        self.senses = dict(_senses(line) for line in _lines(folder / "index.noun"))

    @cached_property
    def irregular(self) -> dict[str, str]:
        """Irregular plurals: "mice" -> "mouse"."""
        pairs = (line.split()[:2] for line in _lines(self.folder / "noun.exc"))
        return {plural.replace("_", " "): singular.replace("_", " ") for plural, singular in pairs}

    @cached_property
    def counts(self) -> dict[str, int]:
        """How often a noun (lower case) was seen in the texts that were tagged with senses; most nouns never."""
        counts: dict[str, int] = defaultdict(int)
        for line in _lines(self.folder / "cntlist.rev"):
            key, _, count = line.split()
            lemma, rest = key.split("%")
            if rest.startswith("1:"):
                counts[lemma.replace("_", " ")] += int(count)
        return counts

    def is_latin(self, lemma: str) -> bool:
        """Whether a lemma is a scientific name: its first word is a genus."""
        first, _, rest = lemma.partition(" ")
        return bool(rest) and f"genus {first.lower()}" in self.senses

    def ancestors(self, synset: str) -> set[str]:
        """The synset and all it is a kind of."""
        found: set[str] = set()
        todo = [synset]
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo += self.synsets[one].hypernyms
        return found


def find(work: Path) -> WordNet:
    """WordNet where it is installed, else unpacked into `work`.

    Raises:
        SystemExit: neither is possible; says what to install.
    """
    for folder in (INSTALLED, work / "wordnet" / INSTALLED.relative_to("/")):
        if (folder / "data.noun").is_file():
            return WordNet(folder)
    target = work / "wordnet"
    target.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["apt-get", "download", "wordnet-base"], cwd=target, check=True, capture_output=True)
        package = next(iter(sorted(target.glob("wordnet-base_*.deb"))))
        subprocess.run(["dpkg", "-x", str(package), str(target)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError, StopIteration) as error:
        raise SystemExit(f"WordNet not found in {INSTALLED}; run `apt-get install wordnet-base`") from error
    return WordNet(target / INSTALLED.relative_to("/"))


def _lines(path: Path) -> list[str]:
    """Lines of a database file without its licence, which is indented."""
    return [line for line in path.read_text(encoding="latin-1").splitlines() if line and not line.startswith(" ")]


def _synset(line: str) -> tuple[str, Synset]:
    """A line of data.noun (wndb(5WN)): offset, file, type, words in hexadecimal, pointers, gloss."""
    fields = line.split(" | ")[0].split()
    words = int(fields[3], 16)
    start = 4 + 2 * words
    pointers = [fields[start + 1 + 4 * i : start + 5 + 4 * i] for i in range(int(fields[start]))]
    above = tuple(target for symbol, target, kind, _ in pointers if symbol in HYPERNYM and kind == "n")
    lemmas = tuple(word.replace("_", " ") for word in fields[4:start:2])
    return fields[0], Synset(lemmas, above, int(fields[1]))


def _senses(line: str) -> tuple[str, list[str]]:
    """A line of index.noun: the lemma in lower case and its synsets, the commonest sense first."""
    fields = line.split()
    return fields[0].replace("_", " "), fields[6 + int(fields[3]) :]
