"""Which of the base's words speak of the same things, as far as captions are concerned. Words are their token ids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from builtin import rest, wordnet
from builtin import words as vocabulary
from builtin.photographs import listed
from builtin.space import members
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer

SHARED = 0.5  # of the classes of the word that has fewer: from there on two words are related


@dataclass(frozen=True)
class Related:
    """Words and what binds them."""

    ids: dict[str, int]  # canonical word -> token id
    words: tuple[int, ...]  # all of them but `background`
    related: Tensor  # (tokens, tokens) booleans: half of the classes in common, or a texture
    stuff: frozenset[int]
    scenery: tuple[int, ...]  # `lists/scenery.txt`, and so on
    people: frozenset[int]
    clothes: frozenset[int]
    body: frozenset[int]
    animals: frozenset[int]  # kinds of animal
    person: int
    animal: int

    def near(self, some: set[int]) -> Tensor:
        """Words (tokens,) that are related to any of some."""
        return self.related[sorted(some)].any(0)


def related(work: Path, tokenizer: Tokenizer, tokens: int) -> Related:
    """From the lexicon, WordNet and the lists."""
    made = vocabulary.build(wordnet.find(work))
    ids = {word: tokenizer.encode(word)[0] for word in made.canonical if word != rest.NAME}
    anchors = [made.known[word].anchor for word in ids]
    classes = torch.zeros(tokens, members(anchors).shape[1])
    classes[list(ids.values())] = members(anchors).float()
    sizes, common = classes.sum(1).clamp_min(1), classes @ classes.T
    bound = common >= SHARED * torch.minimum(sizes[:, None], sizes[None])
    for texture in {anchor.texture for anchor in anchors} - {None}:
        alike = [token for token, anchor in zip(ids.values(), anchors, strict=True) if anchor.texture == texture]
        bound[torch.tensor(alike)[:, None], torch.tensor(alike)] = True
    bound.fill_diagonal_(True)
    animal = ids["animal"]
    lists = {name: [ids[word] for word in listed(name)] for name in ("scenery", "people", "clothes", "body")}
    return Related(
        ids=ids,
        words=tuple(sorted(ids.values())),
        related=bound,
        stuff=frozenset(token for word, token in ids.items() if made.known[word].stuff),
        scenery=tuple(lists["scenery"]),
        people=frozenset(lists["people"]),
        clothes=frozenset(lists["clothes"]),
        body=frozenset(lists["body"]),
        animals=frozenset((common[animal] == sizes).nonzero()[:, 0].tolist()),
        person=ids["person"],
        animal=animal,
    )
