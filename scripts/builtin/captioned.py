"""The captioned photographs in memory, as training draws them: cells, words, how often each is wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from builtin import seen
from builtin.photographs import Source
from builtin.related import Related

RARE = 0.01  # share of photographs from which on a word's photographs are wanted less often
SOME = 0.2  # how often a photograph is wanted that names nothing rare
NAMED = 3  # photographs that name a word, from which on it may be said of others that they do not show it
SAMPLE = 400  # photographs of a source whose cells its mean and deviation are taken from
FARTHEST = 6.0  # deviations from the mean, at most


@dataclass(frozen=True, eq=False)
class Photograph:
    """One photograph."""

    cells: Tensor  # (N, d) half
    head: Tensor  # (N, 384) half: mean 0 and deviation 1 over its source
    neighbours: Tensor  # (N, 3) int16
    grid: tuple[int, int]
    said: dict[int, int]  # token id -> captions that say it
    source: int


@dataclass(frozen=True)
class Photographs:
    """All of them, and the mean and deviation of `head` of pictures as they are when predicted."""

    all: tuple[Photograph, ...]
    mean: Tensor  # (384,)
    deviation: Tensor  # (384,)

    @cached_property
    def counts(self) -> Counter[int]:
        """Token id -> photographs that name it."""
        return Counter(token for photo in self.all for token in photo.said)

    @cached_property
    def named(self) -> tuple[list[int], NDArray[np.float64]]:
        """Words that captions name, and how often each is drawn as one that is not there."""
        words = sorted(token for token, count in self.counts.items() if count >= NAMED)
        share = np.array([self.counts[token] for token in words], dtype=float) ** 0.5
        return words, share / share.sum()

    @cached_property
    def wanted(self) -> NDArray[np.float64]:
        """How much each photograph is wanted: more if it names what few name."""
        rare = {token: min(1.0, RARE * len(self.all) / count) ** 0.5 for token, count in self.counts.items()}
        return np.array([sum(rare[token] for token in photo.said) for photo in self.all]) + SOME


def load(work: Path, sources: Sequence[Source], words: Related, every: int = 1) -> Photographs:
    """What the stage `see` kept.

    Photographs that were brought to another size are blurred, and their features lie elsewhere: those of every source
    are brought to mean 0 and deviation 1, and a cell of a new picture by the mean and deviation of the sources of
    pictures in their own size.

    Args:
        work: the work folder.
        sources: the photographs.
        words: names and their ids.
        every: 2 keeps every second cell, as on a chessboard.
    """
    raw = [
        [_photograph(each, number, words, every) for each in seen.load(work, source) if each.words]
        for number, source in enumerate(sources)
    ]
    moments = [_moments(photos) for photos in raw]
    own_size = [photo for source, photos in zip(sources, raw, strict=True) if source.size is None for photo in photos]
    reference = _moments(own_size) if own_size else moments[0]
    photos = tuple(
        _normal(photo, *moments[number]) for number, photos in enumerate(raw) for photo in photos if photo.said
    )
    return Photographs(photos, *reference)


def _photograph(one: seen.Seen, source: int, words: Related, every: int) -> Photograph:
    height, width = one.grid
    kept = ((torch.arange(height)[:, None] + torch.arange(width)) % every == 0).flatten()
    said = {words.ids[word]: count for word, count in one.words.items() if word in words.ids}
    return Photograph(one.cells[kept], one.head[kept], one.neighbours[kept], one.grid, said, source)


def _moments(photos: Sequence[Photograph]) -> tuple[Tensor, Tensor]:
    step = max(1, len(photos) // SAMPLE)
    head = torch.cat([photo.head for photo in photos[::step]]).float()
    return head.mean(0), head.std(0) + 1e-3


def _normal(photo: Photograph, mean: Tensor, deviation: Tensor) -> Photograph:
    head = ((photo.head.float() - mean) / deviation).clamp(-FARTHEST, FARTHEST).half()
    return Photograph(photo.cells, head, photo.neighbours, photo.grid, photo.said, photo.source)
