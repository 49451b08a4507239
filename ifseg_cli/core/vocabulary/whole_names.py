"""A tokenizer of whole names: one piece for each name that a base knows, the fewest pieces win.

A Unigram over names with their spaces ("▁dining▁table"), as the built-in base has it. The list of pieces is all that is
taken from a file: how a text is lowered and split is ours, since a tokenizer.json may hold rules that never end.
"""

from __future__ import annotations

from collections.abc import Sequence

import tokenizers
from tokenizers import Regex, models, normalizers, pre_tokenizers

SPACE = "▁"


def engine(pieces: Sequence[tuple[str, float]], unknown: int) -> tokenizers.Tokenizer:
    """The engine.

    Args:
        pieces: each with its log-probability, in the order of their ids.
        unknown: the id of what cannot be read.
    """
    made = tokenizers.Tokenizer(models.Unigram(list(pieces), unk_id=unknown, byte_fallback=False))
    spaces = normalizers.Replace(Regex(r"[\s_-]+"), " ")
    steps = [normalizers.Lowercase(), spaces, normalizers.Strip()]
    made.normalizer = normalizers.Sequence(steps)  # pyright: ignore[reportAttributeAccessIssue]
    split = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always", split=False)
    made.pre_tokenizer = split  # pyright: ignore[reportAttributeAccessIssue]
    return made
