"""OFA's encoder: cells first, then text, under one attention bias. (docs/method.md, "Encoder")

One path for real and artificial images: a cell is a vector of width d, wherever it came from.
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
from ifseg_cli.core.bases.ofa.attention import Attention, FeedForward, attention_scale, remade
from ifseg_cli.core.bases.ofa.config import ModelConfig
from ifseg_cli.core.bases.ofa.kept import MadeWhenAsked


@dataclass(frozen=True)
class EncoderBias:
    """What depends on the grid, the prompt's length and the weights only."""

    positions: Tensor  # p, normed: (N + L, d); the decoder's cross attention reads it too
    layers: Sequence[Tensor]  # B_abs + B_rel of every layer: (heads, N + L, N + L)


class EncoderLayer(FeedForward):
    """Pre-norm self attention and feed-forward, each with a second norm on its branch."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.self_attn = Attention(config)
        self.self_attn_layer_norm = nn.LayerNorm(config.dim)
        self.attn_ln = nn.LayerNorm(config.dim)

    def forward(self, x: Tensor, bias: Callable[[], Tensor]) -> Tensor:
        """(B, N + L, d) -> (B, N + L, d)."""

        def attend(x: Tensor) -> Tensor:
            normed = self.self_attn_layer_norm(x)
            return self.drop_path(self.dropout(self.attn_ln(self.self_attn(normed, normed, bias()))))

        x = x + remade(attend, x, again=self.recompute == "attention")
        return self.feed_forward(x)


class Encoder(nn.Module):
    """Text and cells in, contextual vectors out."""

    # What says where to look: all else says how cells and words are read.
    POSITIONS: ClassVar[tuple[str, ...]] = (
        "embed_positions",
        "embed_image_positions",
        "pos_ln",
        "image_pos_ln",
        "pos_q_linear",
        "pos_k_linear",
        "token_rel_pos_table_list",
        "image_rel_pos_table_list",
    )

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        d = config.dim
        self.type_embedding = nn.Embedding(2, d)  # row 0 text, row 1 cells
        self.layernorm_embedding = nn.LayerNorm(d)
        self.patch_layernorm_embedding = nn.LayerNorm(d)
        self.embed_positions = nn.Embedding(config.max_text + 2, d)
        self.embed_image_positions = nn.Embedding(config.image_bucket**2 + 1, d)
        self.pos_ln = nn.LayerNorm(d)
        self.image_pos_ln = nn.LayerNorm(d)
        self.pos_q_linear = nn.Linear(d, d)
        self.pos_k_linear = nn.Linear(d, d)
        token_rows, cell_rows = 2 * config.token_bucket - 1, (2 * config.image_bucket - 1) ** 2 + 3
        depth = range(config.encoder_layers)
        self.token_rel_pos_table_list = nn.ModuleList(nn.Embedding(token_rows, config.heads) for _ in depth)
        self.image_rel_pos_table_list = nn.ModuleList(nn.Embedding(cell_rows, config.heads) for _ in depth)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in depth)
        self.layer_norm = nn.LayerNorm(d)
        self.dropout = nn.Dropout(0.0)

    def forward(self, cells: Tensor, text: Tensor, bias: EncoderBias) -> Tensor:
        """Encode.

        Args:
            cells: (B, N, d), row by row: `image_proj` of a picture, or category rows.
            text: (L, d), the prompt's token embeddings, the same for every image.
            bias: from `bias(grid, L)`.

        Returns:
            (B, N + L, d), cells first.
        """
        types = self.type_embedding.weight
        cells = self.dropout(self.patch_layernorm_embedding(cells + types[1]))
        text = self.layernorm_embedding(text + types[0]).expand(len(cells), -1, -1)
        x = torch.cat([cells, self.dropout(text)], dim=1)
        for index, layer in enumerate(self.layers):
            through = partial(layer, bias=partial(bias.layers.__getitem__, index))
            x = remade(through, x, again=layer.recompute == "layers")
        return self.layer_norm(x)

    def bias(self, grid: Grid, length: int, kept: bool = True) -> EncoderBias:
        """Positions and every layer's attention bias for a grid (h, w) and a prompt of `length` tokens.

        Args:
            grid: cells.
            length: tokens.
            kept: all layers' at once; else each is made when it is asked for, again and again.
        """
        where = torch.cat([self._cell_positions(grid), self.pos_ln(self.embed_positions.weight[:length])])
        query, key = self.pos_q_linear(where), self.pos_k_linear(where)
        shared = positions.absolute_bias(query, key, self.config.heads, attention_scale(self.config))
        layers = MadeWhenAsked(self.config.encoder_layers, lambda index: self._with_relative(shared, index, grid))
        return EncoderBias(where, tuple(layers) if kept else layers)

    def _with_relative(self, shared: Tensor, index: int, grid: Grid) -> Tensor:
        """A layer's bias: cells and tokens each among themselves; between the two there is no relative part."""
        config, cells = self.config, grid[0] * grid[1]
        of_cells = positions.table(self.image_rel_pos_table_list, index)
        of_tokens = positions.table(self.token_rel_pos_table_list, index)
        length = shared.shape[1] - cells
        first, second = slice(0, cells), slice(cells, None)
        return positions.with_blocks(
            shared,
            ((first, first), positions.relative_cell_bias(of_cells, config.grid, config.image_bucket, grid)),
            ((second, second), positions.relative_text_bias(of_tokens, length, config.token_bucket, config.max_text)),
        )

    def _cell_positions(self, grid: Grid) -> Tensor:
        config = self.config
        table = self.embed_image_positions.weight
        return positions.position_embeddings(table, self.image_pos_ln, config.grid, config.image_bucket, grid)
