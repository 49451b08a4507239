"""All that can be said about a list of categories before anything is trained: what `ifseg vocab` shows.

Where `build_vocabulary` refuses at the first error, `inspect_categories` tells everything it finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ifseg_cli.core.images.colour import RGB, hex_colour
from ifseg_cli.core.vocabulary.category import Category
from ifseg_cli.core.vocabulary.colours import shown_colours
from ifseg_cli.core.vocabulary.findings import Finding, near_synonyms
from ifseg_cli.core.vocabulary.prompt import prompt_text
from ifseg_cli.core.vocabulary.reader import Reader, Reading
from ifseg_cli.core.vocabulary.rows import category_rows, nearest_rows
from ifseg_cli.core.vocabulary.vocabulary import vocabulary_findings

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Inspected:
    """One category as a base reads it.

    Attributes:
        index: its place in the list, from 0.
        category: what the user wrote.
        colour: RGB it is shown in.
        readings: one for each of its names, the first name first.
        pieces: the readable sub-words of each name.
        nearest: other categories by cosine of the rows, the nearest first; none for an unknown category.
    """

    index: int
    category: Category
    colour: RGB
    readings: tuple[Reading, ...]
    pieces: tuple[tuple[str, ...], ...]
    nearest: tuple[tuple[str, float], ...]

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary for machines."""
        names = [
            {"name": reading.name, "read_as": reading.text, "known": reading.how, "pieces": pieces, "ids": reading.ids}
            for reading, pieces in zip(self.readings, self.pieces, strict=True)
        ]
        return {
            "index": self.index,
            "raw_id": self.category.raw_id,
            "name": self.category.name,
            "colour": hex_colour(self.colour),
            "names": names,
            "nearest": [{"name": name, "cosine": round(value, 4)} for name, value in self.nearest],
        }


@dataclass(frozen=True)
class Inspection:
    """The whole list.

    Attributes:
        categories: one entry each, in order.
        prompt: the encoder's text as people read it.
        prompt_ids: the same as ids, `<s>` and `</s>` included.
        limit: prompt tokens that the base can hold.
        findings: errors first.
    """

    categories: tuple[Inspected, ...]
    prompt: str
    prompt_ids: tuple[int, ...]
    limit: int
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(finding.level == "error" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary for machines."""
        prompt = {"text": self.prompt, "ids": self.prompt_ids, "length": len(self.prompt_ids), "limit": self.limit}
        return {
            "categories": [each.to_json() for each in self.categories],
            "prompt": prompt,
            "findings": [asdict(finding) for finding in self.findings],
        }


def inspect_categories(categories: Sequence[Category], reader: Reader, embedding: Tensor) -> Inspection:
    """Read a list as a base does.

    Args:
        categories: in order.
        reader: the base's.
        embedding: its token embeddings (tokens, d).
    """
    readings, ids, findings = vocabulary_findings(categories, reader)
    clear = [
        at for at, names in enumerate(readings) if all(each.known and max(each.ids) < len(embedding) for each in names)
    ]
    rows = category_rows(embedding, [[each.ids for each in readings[at]] for at in clear])
    names = [category.name for category in categories]
    alike = nearest_rows([names[at] for at in clear], rows)
    colours = shown_colours(categories)
    nearest = dict(zip(clear, alike, strict=True))
    shown: list[Inspected] = []
    for at, read in enumerate(readings):
        pieces = tuple(reader.pieces(each) for each in read)
        shown.append(Inspected(at, categories[at], colours[at], tuple(read), pieces, nearest.get(at, ())))
    exact = {finding.names for finding in findings if finding.kind in ("same-tokens", "duplicate")}
    near = [each for each in near_synonyms([names[at] for at in clear], rows) if _is_new(each.names, exact)]
    return Inspection(tuple(shown), prompt_text(reader.prompt, names), ids, reader.limit, (*findings, *near))


def _is_new(pair: tuple[str, ...], told: set[tuple[str, ...]]) -> bool:
    """Whether no finding about equal rows has named the pair already."""
    return not any(set(pair) <= set(names) for names in told)
