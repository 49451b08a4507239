"""All that can be said about a list of categories before anything is trained: what `ifseg vocab` shows.

Where `build_vocabulary` refuses at the first error, `inspect_categories` tells everything it finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ifseg_cli.core.tokenizer import Tokenizer
from ifseg_cli.core.vocabulary.category import RGB, Category, hex_colour
from ifseg_cli.core.vocabulary.colours import resolve_colours
from ifseg_cli.core.vocabulary.findings import Finding, Readings, near_synonyms
from ifseg_cli.core.vocabulary.known import KnownWords
from ifseg_cli.core.vocabulary.prompt import prompt_text
from ifseg_cli.core.vocabulary.reading import Reading
from ifseg_cli.core.vocabulary.vocabulary import vocabulary_findings

if TYPE_CHECKING:
    from torch import Tensor

NEAREST = 3  # neighbours told of each category


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


def inspect_categories(
    categories: Sequence[Category],
    tokenizer: Tokenizer,
    embedding: Tensor,
    prompt: str,
    max_text: int,
    known: KnownWords | None = None,
    allow_unknown: bool = False,
) -> Inspection:
    """Read a list with a base's tokenizer, words and token embeddings.

    Args:
        categories: in order.
        tokenizer: the base's.
        embedding: its token embeddings (tokens, d).
        prompt: the question in front of the names.
        max_text: prompt tokens the base can hold.
        known: the words the base knows, if it says so.
        allow_unknown: make unknown names a warning.
    """
    readings, ids, findings = vocabulary_findings(categories, tokenizer, prompt, max_text, known, allow_unknown)
    clear = [
        at for at, names in enumerate(readings) if all(each.known and max(each.ids) < len(embedding) for each in names)
    ]
    rows = category_rows(embedding, [readings[at] for at in clear])
    names = [category.name for category in categories]
    alike = nearest_rows([names[at] for at in clear], rows)
    colours = resolve_colours([category.colour for category in categories])
    nearest = dict(zip(clear, alike, strict=True))
    shown = [
        _inspected(at, categories[at], colours[at], readings[at], nearest.get(at, ()), tokenizer)
        for at in range(len(names))
    ]
    exact = {finding.names for finding in findings if finding.kind in ("same-tokens", "duplicate")}
    near = [each for each in near_synonyms([names[at] for at in clear], rows) if _is_new(each.names, exact)]
    return Inspection(tuple(shown), prompt_text(prompt, names), ids, max_text, (*findings, *near))


def category_rows(embedding: Tensor, readings: Readings) -> Tensor:
    """Rows (M, d), float32: the mean over names of each name's mean over pieces."""
    import torch

    rows = [torch.stack([embedding[list(each.ids)].float().mean(0) for each in names]).mean(0) for names in readings]
    return torch.stack(rows) if rows else torch.zeros(0, embedding.shape[1])


def nearest_rows(names: Sequence[str], rows: Tensor, count: int = NEAREST) -> list[tuple[tuple[str, float], ...]]:
    """For each row (M, d) the `count` others of largest cosine, with their names."""
    import torch
    from torch.nn.functional import normalize

    unit = normalize(rows, dim=1)
    cosine = (unit @ unit.T).fill_diagonal_(-2.0)
    values, indices = torch.topk(cosine, min(count, max(len(names) - 1, 0)), dim=1)
    return [
        tuple((names[int(index)], float(value)) for index, value in zip(*row, strict=True))
        for row in zip(indices.tolist(), values.tolist(), strict=True)
    ]


def _inspected(
    index: int,
    category: Category,
    colour: RGB,
    readings: Sequence[Reading],
    nearest: tuple[tuple[str, float], ...],
    tokenizer: Tokenizer,
) -> Inspected:
    pieces = tuple(tuple(tokenizer.piece(each) for each in reading.ids) for reading in readings)
    return Inspected(index, category, colour, tuple(readings), pieces, nearest)


def _is_new(pair: tuple[str, ...], told: set[tuple[str, ...]]) -> bool:
    """Whether no finding about equal rows has named the pair already."""
    return not any(set(pair) <= set(names) for names in told)
