"""Whether files that look like OFA's tokenizer are OFA's: counts, special symbols, and a handful of words.

Files with merges cut in half, ids shuffled or symbols swapped have the right number of entries and give wrong pieces: a
run would end hours later in nonsense.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ifseg_cli.core.errors import TokenizerError

SIZE = 59457  # entries of OFA's dictionary: text, image codes, location bins
MERGES = 50_000
SYMBOLS = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 50264}
# Words with their ids in OFA's dictionary; their merges are spread over the list, from its 6th to its 49,900th.
WORDS: Mapping[str, list[int]] = {
    "the": [5],
    "sky": [6360],
    "umbrella": [16676],
    "refrigerator": [25572],
    "pavement": [20518],
    "curtains": [31947],
    "chandelier": [1855, 25849, 906],
}


def require_ofa(symbols: Mapping[str, int], merges: int, encode: Callable[[str], list[int]], path: Path) -> None:
    """Refuse a tokenizer of OFA's size that is not OFA's; others are not looked at.

    Args:
        symbols: every token and its id.
        merges: how many there are.
        encode: text to ids.
        path: for errors.

    Raises:
        TokenizerError: names what differs.
    """
    if len(symbols) != SIZE:
        return
    remedy = "copy the files again from where they came"
    if merges != MERGES:
        raise TokenizerError(f"{path} has {merges:,} merges", f"{MERGES:,}, as OFA's dictionary needs", remedy)
    for name, index in SYMBOLS.items():
        if symbols.get(name) != index:
            raise TokenizerError(
                f"{path}: {name} is {symbols.get(name)}", f"id {index}, as in OFA's dictionary", remedy
            )
    for word, ids in WORDS.items():
        found = encode(word)
        if found != ids:
            said = ", ".join(map(str, found[:6]))
            raise TokenizerError(f"{path}: {word!r} is {said}", f"{ids}, as in OFA's dictionary", remedy)
