"""How a base reads a name: the text that is encoded, how its meaning is known, its ids.

A base without a list of words (a published OFA) reads every name as it stands. With one, a known name is encoded by
its canonical word, so that synonyms and plurals share a row; of an unknown name the known words keep their vectors
and the others become `<unk>`, never the pieces of a shorter word that happens to begin them.
"""

from __future__ import annotations

from dataclasses import dataclass

from ifseg_cli.core.tokenizer import Tokenizer
from ifseg_cli.core.vocabulary.known import KnownWords


@dataclass(frozen=True)
class Reading:
    """One name as a base reads it.

    Attributes:
        name: as the user wrote it.
        text: what was encoded.
        how: "class", "tree", "lexicon", "texture" or "pieces" for a known name, "" for an unknown one.
        ids: its token ids, at least one.
    """

    name: str
    text: str
    how: str
    ids: tuple[int, ...]

    @property
    def known(self) -> bool:
        """Whether the base has seen it."""
        return bool(self.how)


def read_name(name: str, tokenizer: Tokenizer, known: KnownWords | None) -> Reading:
    """Read one name. Never fails: what cannot be read is `<unk>`, with `how` empty."""
    if known is None:
        return _reading(name, name, "pieces", tokenizer.encode(name), tokenizer)
    resolved = known.resolve(name)
    if resolved is not None:
        return _reading(name, resolved[0], resolved[1], tokenizer.encode(resolved[0]), tokenizer)
    ids: list[int] = []
    for word in name.split():
        part = known.resolve(word)
        ids += tokenizer.encode(part[0]) if part else [tokenizer.unk]
    return _reading(name, name, "", ids, tokenizer)


def _reading(name: str, text: str, how: str, ids: list[int], tokenizer: Tokenizer) -> Reading:
    ids = ids or [tokenizer.unk]
    return Reading(name, text, "" if tokenizer.unk in ids else how, tuple(ids))
