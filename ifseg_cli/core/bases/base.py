"""What a family of models is to the rest of the program: the one interface, and all that is known of a base outside.

A family is a sub-folder (`ofa/`, `builtin/`) whose network is a `Network`; `folder.py` and `places.py` find and open
what it is stored in. Outside `bases/` nobody asks which family it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

NEVER = -1e4  # score of a category whose row an earlier one has: no probability, and no infinity to reckon with
Grid = tuple[int, int]  # rows, columns of cells


@dataclass(frozen=True)
class PictureFacts:
    """The pictures that a network reads."""

    short_side: int  # pixels
    long_side: int  # pixels, at most
    mean: tuple[float, ...]  # of x / 255, per channel
    std: tuple[float, ...]
    grid: int  # cells a side of the native grid, on which artificial images are drawn unless a recipe says otherwise
    cell: int = 16  # pixels a side of a cell


@dataclass(frozen=True)
class Seen:
    """What a batch of pictures looks like."""

    cells: Tensor  # (B, N, d), row by row: the transformer's input
    similarity: Tensor  # (B, N, C): features that smoothing compares by cosine
    grid: Grid  # (h, w), N = h * w


@dataclass(frozen=True)
class Artificial:
    """What a batch of artificial images looks like."""

    cells: Tensor  # (B, N, d), row by row
    unknown: Tensor | None = None  # (B, M) booleans: categories whose pixels show another word and do not count


Recompute = Literal["none", "attention", "layers"]  # what is gone through a second time in the backward pass


@dataclass(frozen=True)
class TrainingBytes:
    """What an update holds at its peak, besides weights, gradients and moments."""

    shared: int  # whatever the number of samples
    a_sample: float
    widest: int  # of a sample: the largest tensor that layers hand on


class Network(nn.Module, ABC):
    """A network that scores cells for words.

    Attributes:
        rows: (M, d), one a category, frozen; empty until `set_vocabulary`.
        first: (M,) int64, for each category the first one with the same row. Two of one row cannot be told apart, so
            the first gets the pixels of all: the others score `NEVER`.
        pictures: size, colours and native grid of what it reads.
        has_noise: whether `artificial` draws more than bare rows.
        note: what was measured of adapting it, in a sentence; empty where nobody measured.
    """

    rows: Tensor
    first: Tensor
    pictures: PictureFacts
    has_noise: ClassVar[bool] = False
    note: ClassVar[str] = ""

    @abstractmethod
    def set_vocabulary(self, prompt_ids: Sequence[int], piece_ids: Sequence[Sequence[Sequence[int]]]) -> None:
        """Take a prompt's ids, and the ids of each category's names (category -> names -> pieces)."""

    @abstractmethod
    def see(self, images: Tensor) -> Seen:
        """Look at normalised images (B, 3, H, W)."""

    @abstractmethod
    def scores(self, cells: Tensor, grid: Grid) -> Tensor:
        """Score cells (B, N, d) of a grid for every category, before softmax: (B, N, M)."""

    def bare(self, ids: Tensor) -> Tensor:
        """Category ids (B, h, w) -> cells (B, h * w, d): each the row of its category, as published."""
        return self.rows[ids.to(self.rows.device).flatten(1)]

    def artificial(self, ids: Tensor, generator: torch.Generator) -> Artificial:
        """What category ids (B, h, w) look like to this family: bare rows, unless it knows better (`has_noise`).

        Args:
            ids: on the CPU.
            generator: of every random number, on the CPU.
        """
        del generator
        return Artificial(self.bare(ids))

    @abstractmethod
    def parts(self) -> Mapping[str, frozenset[str]]:
        """What can be trained: the name of a part -> names of its parameters. `all` is among them."""

    @abstractmethod
    def add_updates(self, rank: int, seed: int) -> None:
        """Put a low-rank update beside each large matrix, which changes nothing yet: the part `low_rank`."""

    @abstractmethod
    def merge_updates(self) -> None:
        """Add low-rank updates to their matrices; without any, do nothing."""

    @abstractmethod
    def set_regularisation(self, dropout: float, drop_path: float) -> None:
        """Set dropout, and the drop-path of the deepest layer."""

    @abstractmethod
    def set_recompute(self, recompute: Recompute) -> None:
        """Say what is gone through a second time in the backward pass, instead of being kept: slower, and smaller."""

    @abstractmethod
    def training_bytes(self, grid: Grid, recompute: Recompute) -> TrainingBytes:
        """What an update holds for a grid, as far as is known before the first."""

    @abstractmethod
    def training_flops(self, grid: Grid) -> float:
        """Arithmetic of a sample forward and backward, all parts trained: multiply-adds, counted as two."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Its sizes, as `config.json` holds them."""

    @property
    @abstractmethod
    def embedding(self) -> Tensor:
        """(tokens, d): the embedding of every token id, frozen."""

    @abstractmethod
    def forget_biases(self) -> None:
        """Drop what was kept from earlier weights; called after they have changed."""

    def trained_parameters(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Names and parameters that adaptation trains."""
        return ((name, each) for name, each in self.named_parameters() if each.requires_grad)
