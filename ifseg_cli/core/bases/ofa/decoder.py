"""OFA's decoder, used in two ways: over cells (segmentation) and over tokens (text). (docs/method.md, "Decoder")

For segmentation its input is known in advance (the encoder's own cells, shifted by one behind `<s>`), yet attention is
causal: output i has seen cells 0..i-1 by self attention and everything by cross attention, and answers for cell i.
The last output answers for no cell and is dropped by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from ifseg_cli.core.bases.base import Grid
from ifseg_cli.core.bases.ofa import positions
from ifseg_cli.core.bases.ofa.attention import Attention, FeedForward, attention_scale, causal_bias, remade
from ifseg_cli.core.bases.ofa.config import ModelConfig
from ifseg_cli.core.bases.ofa.encoder import EncoderBias
from ifseg_cli.core.bases.ofa.kept import MadeWhenAsked


@dataclass(frozen=True)
class DecoderBias:
    """What depends on the grid (or the text's length) and the weights only."""

    layers: Sequence[Tensor]  # self attention, causal: (heads, Q, Q)
    cross: Tensor  # cross attention, the same in every layer: (heads, Q, N + L)


class DecoderLayer(FeedForward):
    """Self attention, cross attention, feed-forward; pre-norm with a second norm on each branch."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.self_attn = Attention(config)
        self.self_attn_layer_norm = nn.LayerNorm(config.dim)
        self.self_attn_ln = nn.LayerNorm(config.dim)
        self.encoder_attn = Attention(config)
        self.encoder_attn_layer_norm = nn.LayerNorm(config.dim)
        self.cross_attn_ln = nn.LayerNorm(config.dim)

    def forward(self, x: Tensor, memory: Tensor, self_bias: Callable[[], Tensor], cross_bias: Tensor) -> Tensor:
        """(B, Q, d) with memory (B, N + L, d) -> (B, Q, d)."""

        def attend(x: Tensor) -> Tensor:
            normed = self.self_attn_layer_norm(x)
            mixed = self.self_attn(normed, normed, self_bias(), causal=True)
            return self.drop_path(self.dropout(self.self_attn_ln(mixed)))

        def attend_to(x: Tensor, memory: Tensor) -> Tensor:
            normed = self.encoder_attn_layer_norm(x)
            return self.drop_path(self.dropout(self.cross_attn_ln(self.encoder_attn(normed, memory, cross_bias))))

        again = self.recompute == "attention"
        x = x + remade(attend, x, again=again)
        x = x + remade(attend_to, x, memory, again=again)
        return self.feed_forward(x)


class Decoder(nn.Module):
    """Shifted inputs and the encoder's memory in, features out."""

    # What says where to look: all else says how cells and words are read.
    POSITIONS: ClassVar[tuple[str, ...]] = (
        "embed_positions",
        "embed_image_positions",
        "embed_seg_positions",
        "pos_ln",
        "image_pos_ln",
        "seg_pos_ln",
        "self_pos_q_linear",
        "self_pos_k_linear",
        "cross_pos_q_linear",
        "cross_pos_k_linear",
        "token_rel_pos_table_list",
        "image_rel_pos_table_list",
        "seg_rel_pos_table_list",
    )

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        d, side = config.dim, config.grid
        self.layernorm_embedding = nn.LayerNorm(d)
        self.code_layernorm_embedding = nn.LayerNorm(d)  # for image codes: part of a published OFA, unused here
        self.embed_positions = nn.Embedding(config.max_text + 2, d)
        self.embed_image_positions = nn.Embedding(config.image_bucket**2 + 1, d)  # likewise
        self.embed_seg_positions = nn.Embedding(side**2 + 1, d)
        self.pos_ln = nn.LayerNorm(d)
        self.image_pos_ln = nn.LayerNorm(d)  # likewise
        self.seg_pos_ln = nn.LayerNorm(d)
        self.self_pos_q_linear = nn.Linear(d, d)
        self.self_pos_k_linear = nn.Linear(d, d)
        self.cross_pos_q_linear = nn.Linear(d, d)
        self.cross_pos_k_linear = nn.Linear(d, d)
        depth = range(config.decoder_layers)
        rows = {
            "token": 2 * config.token_bucket - 1,
            "image": (2 * config.image_bucket - 1) ** 2 + 3,
            "seg": (2 * side - 1) ** 2 + 3,
        }
        for kind, count in rows.items():
            tables = nn.ModuleList(nn.Embedding(count, config.heads) for _ in depth)
            self.add_module(f"{kind}_rel_pos_table_list", tables)
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in depth)
        self.layer_norm = nn.LayerNorm(d)
        self.dropout = nn.Dropout(0.0)

    def forward(self, inputs: Tensor, memory: Tensor, bias: DecoderBias) -> Tensor:
        """Decode.

        Args:
            inputs: (B, Q, d): `<s>` and what comes before each answer.
            memory: (B, N + L, d), the encoder's output.
            bias: from `cell_bias` or `text_bias`.

        Returns:
            Features (B, Q, d) after the last norm.
        """
        x = self.dropout(self.layernorm_embedding(inputs))
        for index, layer in enumerate(self.layers):
            through = partial(layer, self_bias=partial(bias.layers.__getitem__, index), cross_bias=bias.cross)
            x = remade(through, x, memory, again=layer.recompute == "layers")
        return self.layer_norm(x)

    def cell_bias(self, grid: Grid, encoder: EncoderBias, kept: bool = True) -> DecoderBias:
        """Biases for `<s>` and the cells of a grid: Q = h * w + 1; all at once, or each when it is asked for."""
        side = self.config.grid
        table = self.embed_seg_positions.weight
        block = positions.resize_cells(table[1:].T, side, grid).T
        where = self.seg_pos_ln(torch.cat([table[:1], block]))
        shared, cross = self._absolute(where, encoder)
        layers = MadeWhenAsked(self.config.decoder_layers, lambda index: self._with_cells(shared, index, grid))
        return DecoderBias(tuple(layers) if kept else layers, cross)

    def text_bias(self, length: int, encoder: EncoderBias) -> DecoderBias:
        """Biases for a text of `length` tokens: Q = length."""
        config = self.config
        where = self.pos_ln(self.embed_positions.weight[:length])
        shared, cross = self._absolute(where, encoder)
        layers = tuple(
            shared
            + positions.relative_text_bias(self._table("token", index), length, config.token_bucket, config.max_text)
            for index in range(config.decoder_layers)
        )
        return DecoderBias(layers, cross)

    def _with_cells(self, shared: Tensor, index: int, grid: Grid) -> Tensor:
        """A layer's bias of `<s>` and cells: `<s>` is row and column 0, kept apart from the resizing. (heads, Q, Q)"""
        table = self._table("seg", index)
        start_row, start_column, corner = (each[:, None, None] for each in (table[-3], table[-2], table[-1]))
        first, rest = slice(0, 1), slice(1, None)
        return positions.with_blocks(
            shared,
            ((rest, rest), positions.relative_cell_bias(table, self.config.grid, self.config.grid, grid)),
            ((first, first), corner),
            ((first, rest), start_row),
            ((rest, first), start_column),
        )

    def _table(self, kind: str, index: int) -> Tensor:
        tables = self.get_submodule(f"{kind}_rel_pos_table_list")
        assert isinstance(tables, nn.ModuleList)
        return positions.table(tables, index)

    def _absolute(self, where: Tensor, encoder: EncoderBias) -> tuple[Tensor, Tensor]:
        """The absolute parts: of self attention, causal, and of cross attention."""
        heads, scale = self.config.heads, attention_scale(self.config)
        own = positions.absolute_bias(self.self_pos_q_linear(where), self.self_pos_k_linear(where), heads, scale)
        cross = positions.absolute_bias(
            self.cross_pos_q_linear(where), self.cross_pos_k_linear(encoder.positions), heads, scale
        )
        return own + causal_bias(len(where), where.device), cross


def shift_right(start: Tensor, cells: Tensor) -> Tensor:
    """`<s>` (d,) before the cells (B, N, d): (B, N + 1, d)."""
    return torch.cat([start.expand(len(cells), 1, -1), cells], dim=1)
