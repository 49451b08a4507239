"""A vocabulary: all categories with everything a model reads of them (prompt, ids) and shows of them (colours).

A category may have several names (`tv, television`). Its row is the mean over its names of each name's mean over its
pieces (method, section 2, for one name): each name weighs the same, however many pieces it has. The first name alone
stands in the prompt, so synonyms cost no length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from ifseg_cli.core.errors import CategoryError
from ifseg_cli.core.images.colour import RGB, hex_colour, parse_colour
from ifseg_cli.core.vocabulary.category import MAX_RAW_ID, Category, check_name
from ifseg_cli.core.vocabulary.colours import shown_colours
from ifseg_cli.core.vocabulary.findings import Finding, Readings, check
from ifseg_cli.core.vocabulary.prompt import too_long
from ifseg_cli.core.vocabulary.reader import Reader

FORMAT = 1
PieceIds = tuple[tuple[tuple[int, ...], ...], ...]


@dataclass(frozen=True)
class Vocabulary:
    """M categories, ready for a model.

    Attributes:
        categories: in order; index m everywhere means `categories[m]`.
        prompt_ids: the encoder's text, `<s>` and `</s>` included.
        piece_ids: category -> its names (first name, then synonyms) -> token ids, at least one each.
        colours: RGB, one a category, all different.
        source: the file or list it came from.
    """

    categories: tuple[Category, ...]
    prompt_ids: tuple[int, ...]
    piece_ids: PieceIds
    colours: tuple[RGB, ...]
    source: str

    @property
    def names(self) -> tuple[str, ...]:
        """The first name of each category."""
        return tuple(category.name for category in self.categories)

    @property
    def mask_values(self) -> tuple[int, ...]:
        """The value each category has in a mask: its raw id if the user gave them, else its index."""
        return tuple(at if each.raw_id is None else each.raw_id for at, each in enumerate(self.categories))

    @property
    def ignore_value(self) -> int:
        """The value of "no category" in a mask: 255, or 65535 where a mask value needs 16 bits."""
        return ignore_value(self.mask_values)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary, as `vocabulary.json` holds it; mask values and colours stand there as they will be."""
        entries = zip(self.categories, self.piece_ids, self.mask_values, self.colours, strict=True)
        return {
            "format": FORMAT,
            "source": self.source,
            "ignore_value": self.ignore_value,
            "prompt_ids": list(self.prompt_ids),
            "categories": [_entry_to_json(*entry) for entry in entries],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Vocabulary:
        """The inverse of `to_json`.

        Raises:
            CategoryError: a key unknown or missing, or a value that cannot be.
        """
        _closed(values, {"format", "source", "ignore_value", "prompt_ids", "categories"}, "vocabulary")
        if values["format"] != FORMAT:
            raise CategoryError(f"vocabulary of format {values['format']!r}", f"format {FORMAT}", "update ifseg")
        try:
            entries = [_entry_from_json(entry) for entry in values["categories"]]
            ids = tuple(_id(index) for index in values["prompt_ids"])
        except (TypeError, ValueError, AttributeError) as error:
            raise CategoryError(f"vocabulary: {error}", "what ifseg writes") from error
        categories = tuple(category for category, _, _ in entries)
        check_raw_ids(categories, "vocabulary")
        colours = tuple(colour for _, _, colour in entries)
        if len(set(colours)) != len(colours):
            raise CategoryError("vocabulary: two categories have one colour", "all different")
        made = cls(categories, ids, tuple(pieces for _, pieces, _ in entries), colours, str(values["source"]))
        if made.ignore_value != values["ignore_value"]:
            raise CategoryError(f"vocabulary: ignore value {values['ignore_value']!r}", str(made.ignore_value))
        return made


def ignore_value(mask_values: Sequence[int]) -> int:
    """255 while every mask value is below it, else 65535."""
    return 255 if max(mask_values, default=0) < 255 else 65535


def check_raw_ids(categories: Sequence[Category], source: str) -> None:
    """All categories have a raw id or none has; no two share one; none is the ignore value.

    Raises:
        CategoryError: with the line.
    """
    if not categories:
        raise CategoryError(f"{source} holds no categories", "at least one name")
    given = [each for each in categories if each.raw_id is not None]
    if given and len(given) < len(categories):
        bare = next(each for each in categories if each.raw_id is None)
        found = f"{_place(bare, source)} {bare.name!r} has no raw id, but {given[0].name!r} has {given[0].raw_id}"
        remedy = "number all lines or none; write a name that begins with a number in letters"
        raise CategoryError(found, "a raw id on all lines or on none", remedy)
    seen: dict[int, Category] = {}
    for each in given:
        first = seen.setdefault(cast("int", each.raw_id), each)
        if first is not each:
            found = f"{_place(each, source)} {each.name!r} has raw id {each.raw_id}, as {first.name!r} has"
            raise CategoryError(found, "a raw id of its own for each category")
    if given and max(seen) == 255:
        found = f"{_place(seen[255], source)} {seen[255].name!r} has raw id 255, which 8-bit masks use for ignore"
        raise CategoryError(found, "raw ids up to 254, or beyond 255 in 16-bit masks")
    if len(categories) > MAX_RAW_ID + 1:
        raise CategoryError(f"{source} has {len(categories)} categories", f"at most {MAX_RAW_ID + 1}")


def build_vocabulary(categories: Sequence[Category], reader: Reader, source: str) -> Vocabulary:
    """Make a vocabulary for a base, or refuse it before any work.

    Args:
        categories: from `read_categories` or `categories_from_names`.
        reader: the base's.
        source: the file or list the categories came from.

    Raises:
        CategoryError: for the first error; `vocabulary_findings` tells all of them.
    """
    check_raw_ids(categories, source)
    readings, ids, findings = vocabulary_findings(categories, reader)
    for finding in findings:
        if finding.level == "error":
            raise CategoryError(finding.message)
    pieces = tuple(tuple(reading.ids for reading in names) for names in readings)
    colours = shown_colours(categories)
    return Vocabulary(tuple(categories), ids, pieces, colours, source)


def read_all(categories: Sequence[Category], reader: Reader) -> Readings:
    """How a base reads every name of every category."""
    return [[reader.read(name) for name in category.names] for category in categories]


def vocabulary_findings(
    categories: Sequence[Category], reader: Reader
) -> tuple[Readings, tuple[int, ...], list[Finding]]:
    """What `build_vocabulary` would say, all of it, without refusing: readings, prompt ids, findings (errors first)."""
    readings = read_all(categories, reader)
    found = check(categories, readings, reader)
    first = [names[0] for names in readings]
    ids = reader.prompt_ids(first)
    if len(ids) > reader.limit:
        refused = too_long(len(ids), reader.limit, [(reading.name, len(reading.ids)) for reading in first])
        errors = sum(finding.level == "error" for finding in found)
        found.insert(errors, Finding("error", "prompt", refused.message, ()))
    return readings, ids, found


def _place(category: Category, source: str) -> str:
    return f"{source} line {category.line}:" if category.line else f"{source}:"


def _entry_to_json(category: Category, pieces: tuple[tuple[int, ...], ...], value: int, shown: RGB) -> dict[str, Any]:
    return {
        "name": category.name,
        "synonyms": list(category.synonyms),
        "raw_id": category.raw_id,
        "mask_value": value,
        "colour": hex_colour(shown),
        "own_colour": None if category.colour is None else hex_colour(category.colour),
        "line": category.line,
        "piece_ids": [list(ids) for ids in pieces],
    }


_ENTRY = {"name", "synonyms", "raw_id", "mask_value", "colour", "own_colour", "line", "piece_ids"}


def _entry_from_json(entry: Mapping[str, Any]) -> tuple[Category, tuple[tuple[int, ...], ...], RGB]:
    _closed(entry, _ENTRY, "category")
    own, shown = entry["own_colour"], _colour(entry["colour"])
    category = Category(str(entry["name"]), tuple(str(name) for name in entry["synonyms"]), entry["raw_id"])
    for name in category.names:
        check_name(name, "vocabulary")
    for number in (entry["raw_id"], entry["line"]):
        if number is not None and (type(number) is not int or not 0 <= number <= MAX_RAW_ID):
            raise ValueError(f"{number!r} as raw id or line of {category.name!r}")
    pieces = tuple(tuple(_id(index) for index in ids) for ids in entry["piece_ids"])
    if len(pieces) != len(category.names) or not all(pieces):
        raise ValueError(f"piece_ids of {category.name!r} do not fit its names")
    return replace(category, colour=None if own is None else _colour(own), line=entry["line"]), pieces, shown


def _colour(text: object) -> RGB:
    colour = parse_colour(text) if isinstance(text, str) else None
    if colour is None:
        raise ValueError(f"{text!r} is no colour")
    return colour


def _id(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no token id")
    return value


def _closed(values: object, keys: set[str], what: str) -> None:
    """Refuse a dictionary with other keys than these."""
    if not isinstance(values, Mapping):
        raise CategoryError(f"{what}: a {type(values).__name__}", "a JSON object")
    if wrong := sorted(map(str, set(cast("Mapping[str, Any]", values)) ^ keys)):
        raise CategoryError(f"{what}: keys unknown or missing: {', '.join(wrong)}", ", ".join(sorted(keys)))
