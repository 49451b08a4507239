"""The base's tokenizer: one piece for each whole name it knows.

Unigram over names with their spaces ("▁dining▁table"), all equally likely, so that the fewest pieces win: a known name
is always one piece, and its row is exactly the word's. A name nobody knows contains `<unk>`. Synonyms and plurals have
no pieces of their own: `words.json` says which canonical word to encode.
"""

from __future__ import annotations

from tokenizers import Tokenizer

from ifseg_cli.core.bases.ofa.config import PROMPT
from ifseg_cli.core.vocabulary.whole_names import SPACE, engine

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
LAST = "unknown"  # the prompt's last word (method, section 2)
SCORE = -1.0


def piece(name: str) -> str:
    """A name as the tokenizer writes it."""
    return SPACE + name.replace(" ", SPACE)


def prompt_pieces() -> list[str]:
    """The words of the standard prompt."""
    return [piece(word) for word in [*PROMPT.lower().split(), LAST]]


def build(names: list[str]) -> tuple[Tokenizer, list[str]]:
    """A tokenizer for the names (lower case, single spaces).

    Returns:
        The tokenizer, and its pieces in the order of their ids: 4 special ones, the prompt's, the names'.
    """
    pieces = [*SPECIAL, *dict.fromkeys([*prompt_pieces(), *map(piece, names)])]
    tokenizer = engine([(one, SCORE) for one in pieces], unknown=SPECIAL.index("<unk>"))
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer, pieces
