"""What is wrong with a list of categories, or may be.

Errors stop every command before its work; warnings are shown and the work goes on. Names matter more than methods:
two categories with one row can never be told apart, near-synonyms compete for the same cells, and objects without
anything around them flood the picture.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ifseg_cli.core.errors import listed
from ifseg_cli.core.images.colour import hex_colour
from ifseg_cli.core.vocabulary.category import Category
from ifseg_cli.core.vocabulary.colours import shown_colours
from ifseg_cli.core.vocabulary.known import HEAD, KnownWords
from ifseg_cli.core.vocabulary.reader import Reader, Reading
from ifseg_cli.core.vocabulary.rows import cosines

if TYPE_CHECKING:
    from torch import Tensor

MANY_PIECES = 10  # sub-words in a name; the mean of more says little
NEAR = 0.9  # cosine above which two rows are called near-synonyms
BACKGROUND = ("sky", "grass", "tree", "wall", "floor", "water", "road", "building", "sand", "snow", "mountain")

Readings = Sequence[Sequence[Reading]]  # category -> its names, the first name first


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes:
        level: "error" or "warning".
        kind: "duplicate", "same-tokens", "shared-name", "same-synonym", "symbol", "unknown", "head", "colour", "long",
            "single", "near" or "background".
        message: one line for people: what was found, and what to do.
        names: the categories it is about.
    """

    level: str
    kind: str
    message: str
    names: tuple[str, ...]


def check(categories: Sequence[Category], readings: Readings, reader: Reader) -> list[Finding]:
    """All findings that need no embeddings, errors first.

    Args:
        categories: in order.
        readings: how the base reads each category's names.
        reader: the base's; unknown names are a warning where it allows them.
    """
    known = reader.known
    first = [names[0] for names in readings]
    found = _duplicates(categories)
    found += _same_tokens(readings, {name for finding in found for name in finding.names}, reader.strict)
    found += _symbols(readings, reader.size) + _unknown(readings, known, reader.allow_unknown)
    found += _shared(readings) + _same_synonyms(readings) + _heads(readings) + _colours(categories)
    found += _long(first) + _single(categories)
    if known is not None:
        found += _background(first, known)
    return sorted(found, key=lambda finding: finding.level)


def near_synonyms(names: Sequence[str], rows: Tensor, threshold: float = NEAR) -> list[Finding]:
    """Warnings for pairs of categories whose rows (M, d) have a cosine over `threshold`, the nearest pair first."""
    import torch

    cosine = cosines(rows).triu(diagonal=1)
    pairs = sorted(((cosine[a, b].item(), a, b) for a, b in torch.nonzero(cosine > threshold).tolist()), reverse=True)
    found: list[Finding] = []
    for value, a, b in pairs:
        one, other = names[int(a)], names[int(b)]
        message = f"{one!r} and {other!r} mean nearly the same to this base (cosine {value:.2f}); one would do"
        found.append(Finding("warning", "near", message, (one, other)))
    return found


def _groups(values: Sequence[Hashable]) -> list[list[int]]:
    """Indices that share a value, where more than one does."""
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for index, value in enumerate(values):
        groups[value].append(index)
    return [group for group in groups.values() if len(group) > 1]


def _duplicates(categories: Sequence[Category]) -> list[Finding]:
    found: list[Finding] = []
    for group in _groups([category.name for category in categories]):
        name = categories[group[0]].name
        lines = [categories[index].line for index in group]
        places = "lines" if all(lines) else "categories"
        where = ", ".join(str(line or index) for line, index in zip(lines, group, strict=True))
        message = f"{name!r} stands there {len(group)} times ({places} {where}); name it once"
        found.append(Finding("error", "duplicate", message, (name,)))
    return found


def _same_tokens(readings: Readings, told: set[str], strict: bool) -> list[Finding]:
    """Categories with one and the same row: the same names' ids, in any order."""
    found: list[Finding] = []
    for group in _groups([frozenset(reading.ids for reading in names) for names in readings]):
        members = [readings[index][0] for index in group]
        names = tuple(dict.fromkeys(reading.name for reading in members))
        if len(names) < 2 or not all(reading.known for reading in members) or told.issuperset(names):
            continue  # named already; or unknown, which is said of each
        together = " and ".join(repr(name) for name in names)
        message = f"{together} are the same word to this base; {names[0]!r}, the first, gets all their pixels"
        found.append(Finding("error" if strict else "warning", "same-tokens", message, names))
    return found


def _shared(readings: Readings) -> list[Finding]:
    """A name of one category that is read like a name of another."""
    owners: dict[tuple[int, ...], tuple[int, Reading]] = {}
    found: list[Finding] = []
    whole = [frozenset(reading.ids for reading in names) for names in readings]
    for index, names in enumerate(readings):
        for reading in names:
            other, same = owners.setdefault(reading.ids, (index, reading))
            if other == index or whole[other] == whole[index] or not reading.known:
                continue
            pair = (readings[other][0].name, names[0].name)
            message = f"{reading.name!r} of {pair[1]!r} is read like {same.name!r} of {pair[0]!r}; keep it in one"
            found.append(Finding("warning", "shared-name", message, pair))
    return found


def _same_synonyms(readings: Readings) -> list[Finding]:
    """Synonyms that are read like another name of their category: they add nothing to its row."""
    found: list[Finding] = []
    for names in readings:
        first: dict[tuple[int, ...], str] = {}
        for reading in names:
            same = first.setdefault(reading.ids, reading.name)
            if same != reading.name and reading.known:
                message = f"{reading.name!r} is read like {same!r}, its own category's name, and adds nothing"
                found.append(Finding("warning", "same-synonym", message, (names[0].name,)))
    return found


def _heads(readings: Readings) -> list[Finding]:
    """Names of which the base knows the head alone."""
    heads = [reading for names in readings for reading in names if reading.how == HEAD]
    if not heads:
        return []
    read = ", ".join(f"{reading.name!r} as {reading.text!r}" for reading in heads)
    return [
        Finding("warning", "head", f"read by what they are, the rest is unknown: {read}", tuple(r.name for r in heads))
    ]


def _colours(categories: Sequence[Category]) -> list[Finding]:
    """Colours that were asked for twice: the first category keeps it."""
    shown = shown_colours(categories)
    moved = [
        f"{each.name!r} ({hex_colour(each.colour)} is taken, shown in {hex_colour(colour)})"
        for each, colour in zip(categories, shown, strict=True)
        if each.colour is not None and each.colour != colour
    ]
    if not moved:
        return []
    return [Finding("warning", "colour", f"colours that stand there twice were changed: {listed(moved)}", ())]


def _symbols(readings: Readings, size: int) -> list[Finding]:
    names = [names[0].name for names in readings if any(index >= size for each in names for index in each.ids)]
    if not names:
        return []
    symbols = ", ".join(map(repr, names))
    meaning = "a symbol of the published program's dictionary, without a meaning"
    message = f"{symbols}: {meaning}; choose another name"
    return [Finding("error", "symbol", message, tuple(names))]


def _unknown(readings: Readings, known: KnownWords | None, allow: bool) -> list[Finding]:
    names = [reading.name for each in readings for reading in each if not reading.known]
    if not names:
        return []
    level = "warning" if allow else "error"
    if known is not None:
        refused = known.refuse(names)
        message = f"{refused.found}; they have no meaning to it" if allow else refused.message
    else:
        message = f"the base cannot read {', '.join(map(repr, names))}" + ("" if allow else "; choose other names")
    return [Finding(level, "unknown", message, tuple(names))]


def _long(first: Sequence[Reading]) -> list[Finding]:
    long = [each for each in first if len(each.ids) > MANY_PIECES]
    advice = "a shorter name says more"
    return [Finding("warning", "long", f"{it.name!r} has {len(it.ids)} sub-words; {advice}", (it.name,)) for it in long]


def _single(categories: Sequence[Category]) -> list[Finding]:
    if len(categories) != 1:
        return []
    name = categories[0].name
    written = ", ".join(categories[0].names)
    hint = "commas make synonyms, categories stand one a line"
    if len(categories[0].names) > 2:  # a list that somebody wrote on one line
        return [Finding("error", "single", f"{written!r} is one category of several names; {hint}", (name,))]
    if categories[0].synonyms:
        return [Finding("warning", "single", f"{written!r} alone: every pixel will be it; {hint}", (name,))]
    return [Finding("warning", "single", f"{name!r} alone: every pixel will be it; add what else is there", (name,))]


def _background(first: Sequence[Reading], known: KnownWords) -> list[Finding]:
    """Objects only, nothing that surrounds them."""
    kinds = [known.is_stuff(reading.text) for reading in first if reading.known]
    if not kinds or any(kind is not False for kind in kinds):
        return []
    offered = [word for word in BACKGROUND if known.is_stuff(word)][:6]
    if not offered:
        return []
    message = f"objects only, and they will flood the picture; add what surrounds them: {', '.join(offered)}"
    return [Finding("warning", "background", message, ())]
