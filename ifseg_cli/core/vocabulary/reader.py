"""How a base reads text: its tokenizer, its prompt, the words it knows.

A base without a list of words (a published OFA) reads every name as it stands. With one, a known name is encoded by
its canonical word, so that synonyms and plurals share a row; of an unknown name the known words keep their vectors
and the others become `<unk>`, never the pieces of a shorter word that happens to begin them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ifseg_cli.core.vocabulary.known import KnownWords
from ifseg_cli.core.vocabulary.prompt import prompt_ids
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer


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


@dataclass(frozen=True)
class Reader:
    """The text side of a base.

    Attributes:
        tokenizer: text to ids.
        prompt: the question in front of the names.
        limit: prompt tokens the base can hold.
        known: the words it knows; None reads any word.
        allow_unknown: let names pass that it does not know; they share the row of `<unk>`.
        strict: refuse categories that are the same word to the base.
    """

    tokenizer: Tokenizer
    prompt: str
    limit: int
    known: KnownWords | None = None
    allow_unknown: bool = False
    strict: bool = False

    def told(self, allow_unknown: bool = False, strict: bool = False) -> Reader:
        """The same reader, more or less strict."""
        return replace(self, allow_unknown=allow_unknown, strict=strict)

    @property
    def size(self) -> int:
        """Number of ids; one at or above is a symbol without a row."""
        return self.tokenizer.size

    def read(self, name: str) -> Reading:
        """Read one name. Never fails: what cannot be read is `<unk>`, with `how` empty."""
        if self.known is None:
            return self._reading(name, name, "pieces", self.tokenizer.encode(name))
        resolved = self.known.resolve(name)
        if resolved is not None:
            return self._reading(name, resolved[0], resolved[1], self.tokenizer.encode(resolved[0]))
        ids: list[int] = []
        for word in name.split():
            part = self.known.resolve(word)
            ids += self.tokenizer.encode(part[0]) if part else [self.tokenizer.unk]
        return self._reading(name, name, "", ids)

    def pieces(self, reading: Reading) -> tuple[str, ...]:
        """The readable sub-words of a reading."""
        return tuple(self.tokenizer.piece(each) for each in reading.ids)

    def prompt_ids(self, names: Sequence[Reading]) -> tuple[int, ...]:
        """Ids of the whole prompt (`prompt.py`), given each category's first name."""
        return prompt_ids(self.tokenizer, self.prompt, [each.ids for each in names])

    def usual_heights(self, names: Iterable[str]) -> tuple[float, ...] | None:
        """Where in a picture each name is usually seen (`KnownWords.heights`); None where the base does not know."""
        return self.known.heights(names) if self.known else None

    def _reading(self, name: str, text: str, how: str, ids: list[int]) -> Reading:
        unknown = self.tokenizer.unk
        ids = ids or [unknown]
        return Reading(name, text, "" if unknown in ids else how, tuple(ids))
