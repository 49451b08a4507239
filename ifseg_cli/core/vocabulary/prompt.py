"""The encoder's text (method, section 2): `<s>`, the prompt, every category's first name, "unknown", `</s>`.

Nothing separates the names, as in the published program. Position tables hold `max_text` tokens; a longer prompt is
refused, never cut.
"""

from __future__ import annotations

from collections.abc import Sequence

from ifseg_cli.core.errors import CategoryError
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer

UNKNOWN = "unknown"  # the published program closes the list with it; no category of its own


def prompt_ids(tokenizer: Tokenizer, prompt: str, names: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Ids of the whole text, `<s>` and `</s>` included.

    Args:
        tokenizer: the base's.
        prompt: the question in front ("what is the segmentation map of the image? object:").
        names: the ids of each category's first name, in order.
    """
    body = [index for name in names for index in name]
    text = [*tokenizer.encode(prompt), *body, *tokenizer.encode(UNKNOWN)]
    return (tokenizer.bos, *text, tokenizer.eos)


def prompt_text(prompt: str, names: Sequence[str]) -> str:
    """The same for people: what stands between `<s>` and `</s>`."""
    return " ".join([prompt, *names, UNKNOWN])


def too_long(length: int, max_text: int, names: Sequence[tuple[str, int]]) -> CategoryError:
    """The refusal of a prompt of `length` tokens, with the five names that have most of them.

    Args:
        length: tokens of the prompt.
        max_text: tokens the base can hold.
        names: each category's first name and its number of tokens.
    """
    longest = sorted(names, key=lambda entry: -entry[1])[:5]
    listed = ", ".join(f"{name!r} ({count})" for name, count in longest)
    found = f"the prompt of {len(names)} names has {length} tokens"
    return CategoryError(found, f"at most {max_text}", f"shorten or leave out names, the longest are {listed}")
