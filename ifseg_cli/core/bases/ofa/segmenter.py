"""The whole model: pictures or artificial cells in, a score for every cell and category out.

    see(images)            backbone and `image_proj`: what a picture looks like to the transformer
    scores(cells, grid)    encoder, decoder, rows: the same for real and artificial cells
    set_vocabulary(...)    the prompt, and the rows as the mean of sub-word embeddings

The token embedding, the backbone and `image_proj` are frozen; so are the rows, which serve twice: as cells of
artificial images, and tied as the output projection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from ifseg_cli.core.bases.base import NEVER, Grid, Network, PictureFacts, Recompute, Seen, TrainingBytes
from ifseg_cli.core.bases.ofa.attention import DropPath, FeedForward
from ifseg_cli.core.bases.ofa.config import ModelConfig
from ifseg_cli.core.bases.ofa.decoder import Decoder, DecoderBias, shift_right
from ifseg_cli.core.bases.ofa.encoder import Encoder, EncoderBias
from ifseg_cli.core.bases.ofa.kept import LastUsed
from ifseg_cli.core.bases.ofa.keymap import is_fresh
from ifseg_cli.core.bases.ofa.low_rank import add_updates, merge_updates
from ifseg_cli.core.vocabulary.rows import category_rows, first_of

# Numbers of float32 a token and layer, in widths `d`, that wait for the backward pass (feed-forward 4 d wide).
ENCODER_KEEPS: Mapping[Recompute, float] = {"none": 26, "attention": 14, "layers": 10}
DECODER_KEEPS: Mapping[Recompute, float] = {"none": 36, "attention": 16, "layers": 10}
BOS = 0  # id of `<s>`, which starts every decoder input


@dataclass(frozen=True)
class Biases:
    """Everything that depends on the grid and the weights only."""

    encoder: EncoderBias
    decoder: DecoderBias


class Segmenter(Network):
    """OFA with a segmentation head.

    Attributes:
        rows: (M, d), one a category; empty until `set_vocabulary`.
        prompt_ids: (L,) int64, the encoder's text.
    """

    prompt_ids: Tensor

    def __init__(self, config: ModelConfig, backbone: nn.Module, image_proj: nn.Module) -> None:
        """Make a network of random weights.

        Args:
            config: the sizes.
            backbone: normalised images (B, 3, H, W) -> features at stride 16, in whatever form `image_proj` reads.
            image_proj: features -> `Seen`.
        """
        super().__init__()
        self.config = config
        self.pictures = PictureFacts(
            config.short_side, config.long_side, config.image_mean, config.image_std, config.grid
        )
        self.embed_tokens = nn.Embedding(config.tokens, config.dim)
        self.backbone, self.image_proj = backbone, image_proj
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.register_buffer("rows", torch.zeros(0, config.dim), persistent=False)
        self.register_buffer("first", torch.zeros(0, dtype=torch.long), persistent=False)
        self.register_buffer("prompt_ids", torch.zeros(0, dtype=torch.long), persistent=False)
        self._kept = LastUsed[Biases]()
        self.recompute: Recompute = "none"
        self.register_load_state_dict_post_hook(_forget_biases)
        for frozen in (self.embed_tokens, self.backbone, self.image_proj):
            frozen.requires_grad_(False)

    # ---------------------------------------------------------------- vocabulary

    @torch.no_grad()
    def set_vocabulary(self, prompt_ids: Sequence[int], piece_ids: Sequence[Sequence[Sequence[int]]]) -> None:
        """Take a prompt and the categories' sub-words.

        Args:
            prompt_ids: the prompt with `<s>` and `</s>`.
            piece_ids: category -> its names -> sub-word ids (`category_rows` is the formula).
        """
        weight = self.embed_tokens.weight
        self.rows = category_rows(weight, piece_ids)
        self.first = torch.tensor(first_of(piece_ids), dtype=torch.long, device=weight.device)
        self.prompt_ids = torch.tensor(list(prompt_ids), dtype=torch.long, device=weight.device)
        self._kept.forget()

    @property
    def embedding(self) -> Tensor:
        """(tokens, d): the token embedding, frozen."""
        return self.embed_tokens.weight.detach()

    # ---------------------------------------------------------------- the two ways in

    def see(self, images: Tensor) -> Seen:
        """Normalised images (B, 3, H, W) -> cells, the features that smoothing compares, and the grid."""
        return self.image_proj(self.backbone(images))

    # ---------------------------------------------------------------- the way through

    def scores(self, cells: Tensor, grid: Grid) -> Tensor:
        """Score every cell for every category, before softmax.

        Args:
            cells: (B, N, d), N = h * w, row by row.
            grid: (h, w).

        Returns:
            (B, N, M).
        """
        features = self.features(cells, grid)[:, :-1]  # output i answers for cell i; the last one for none
        if self.config.picture != 1.0:
            features = features - (1.0 - self.config.picture) * features.mean(1, keepdim=True)
        if self.config.residual:
            features = features + cells
        with torch.autocast(features.device.type, enabled=False):  # a score has more digits than half precision holds
            return self._told_apart(features.float() @ self.rows.T)

    def plain_scores(self, cells: Tensor) -> Tensor:
        """Dot product of cells and rows, without the transformer: (B, N, d) -> (B, N, M)."""
        return self._told_apart(cells @ self.rows.T)

    def _told_apart(self, scores: Tensor) -> Tensor:
        """Scores (..., M) with `NEVER` for categories whose row an earlier one has; as they are where all differ."""
        repeated = self.first != torch.arange(len(self.first), device=self.first.device)
        return scores.masked_fill(repeated, NEVER) if repeated.any() else scores

    def features(self, cells: Tensor, grid: Grid) -> Tensor:
        """The decoder's normed outputs, the surplus last one included: (B, N + 1, d)."""
        biases = self.biases(grid)
        encoded = self.encoder(cells, self.embed_tokens(self.prompt_ids), biases.encoder)
        inputs = shift_right(self.embed_tokens.weight[BOS], encoded[:, : cells.shape[1]])
        return self.decoder(inputs, encoded, biases.decoder)

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (B, 3, H, W) -> scores (B, N, M)."""
        seen = self.see(images)
        return self.scores(seen.cells, seen.grid)

    def text_logits(self, cells: Tensor, grid: Grid, source: Tensor, target: Tensor) -> Tensor:
        """The language model that a loaded OFA is.

        Args:
            cells: (B, N, d) of a picture.
            source: (L,) int64, the encoder's text.
            target: (T,) int64, the decoder's text so far, beginning with `<s>`.

        Returns:
            (B, T, tokens): scores of the next token.
        """
        encoder_bias = self.encoder.bias(grid, len(source))
        memory = self.encoder(cells, self.embed_tokens(source), encoder_bias)
        inputs = self.embed_tokens(target).expand(len(cells), -1, -1)
        features = self.decoder(inputs, memory, self.decoder.text_bias(len(target), encoder_bias))
        return features @ self.embed_tokens.weight.T

    # ---------------------------------------------------------------- biases

    def biases(self, grid: Grid) -> Biases:
        """Biases for a grid; kept while no gradient is wanted, made anew while training."""
        if torch.is_grad_enabled():
            return self._make_biases(grid, kept=self.recompute == "none")
        found = self._kept.get(grid)
        if found is None:
            size = self._bias_bytes(grid)
            kept = self._kept.make_room(size)
            found = self._make_biases(grid, kept)
            if kept:
                self._kept.keep(grid, found, size)
        return found

    def _make_biases(self, grid: Grid, kept: bool = True) -> Biases:
        encoder = self.encoder.bias(grid, len(self.prompt_ids), kept)
        return Biases(encoder, self.decoder.cell_bias(grid, encoder, kept))

    def _bias_bytes(self, grid: Grid) -> int:
        config, cells = self.config, grid[0] * grid[1]
        every, queries = cells + len(self.prompt_ids), cells + 1
        pairs = config.encoder_layers * every**2 + config.decoder_layers * queries**2 + every * queries
        return pairs * config.heads * self.embed_tokens.weight.element_size()

    def to_json(self) -> dict[str, Any]:
        """The sizes, as `config.json` holds them."""
        return self.config.to_json()

    def forget_biases(self) -> None:
        """Call after the weights have changed."""
        self._kept.forget()

    def train(self, mode: bool = True) -> Segmenter:
        """Switch dropout on or off. The backbone has none and its norms are frozen, so it does not mind."""
        self._kept.forget()
        return super().train(mode)

    # ---------------------------------------------------------------- adaptation

    def set_regularisation(self, dropout: float, drop_path: float) -> None:
        """Set dropout, and drop-path growing linearly from 0 to `drop_path` over the layers of each stack."""
        for module in self.modules():
            if isinstance(module, nn.Dropout):
                module.p = dropout
        for stack in (self.encoder.layers, self.decoder.layers):
            rates = torch.linspace(0, drop_path, len(stack)).tolist()
            for layer, rate in zip(stack, rates, strict=True):
                for module in layer.modules():
                    if isinstance(module, DropPath):
                        module.rate = rate

    def set_recompute(self, recompute: Recompute) -> None:
        """Say what is gone through a second time in the backward pass, instead of being kept."""
        self.recompute = recompute
        for stack in (self.encoder.layers, self.decoder.layers):
            for layer in stack:
                cast(FeedForward, layer).recompute = recompute

    def training_bytes(self, grid: Grid, recompute: Recompute) -> TrainingBytes:
        """What an update holds at its peak: fitted to what was measured at OFA-base."""
        config, cells = self.config, grid[0] * grid[1]
        tokens = cells + len(self.prompt_ids)
        biases = self._bias_bytes(grid)
        layers = config.encoder_layers + config.decoder_layers
        one = max(tokens**2, cells**2) * config.heads * 4  # a layer's bias
        width = config.encoder_layers * tokens * ENCODER_KEEPS[recompute]
        width += config.decoder_layers * cells * DECODER_KEEPS[recompute]
        shared = biases + 2 * one if recompute == "none" else 7 * one + biases // layers
        return TrainingBytes(shared, width * config.dim * 4, tokens * config.ffn_dim * 4)

    def training_flops(self, grid: Grid) -> float:
        """Arithmetic of a sample forward and backward: three times the matrix products of the forward pass."""
        config, cells = self.config, grid[0] * grid[1]
        tokens, d, f = cells + len(self.prompt_ids), config.dim, config.ffn_dim
        encoder = config.encoder_layers * (tokens * (8 * d * d + 4 * d * f) + 4 * tokens**2 * d)
        own = cells * (8 * d * d + 4 * d * f) + 4 * cells**2 * d
        across = cells * 4 * d * d + tokens * 4 * d * d + 4 * cells * tokens * d
        return 3.0 * (encoder + config.decoder_layers * (own + across) + 2 * cells * d * len(self.rows))

    def parts(self) -> Mapping[str, frozenset[str]]:
        """What can be trained.

        all         the published list
        decoder     the decoder of it
        positions   where to look, not how words are read
        low_rank    low-rank updates, once they are added, and what a pre-trained OFA has not
        """
        stacks = {"encoder": self.encoder, "decoder": self.decoder}
        names = {f"{part}.{name}" for part, stack in stacks.items() for name, _ in stack.named_parameters()}
        positions = {name for name in names if name.split(".")[1] in stacks[name.split(".")[0]].POSITIONS}
        return {
            "all": frozenset(names),
            "decoder": frozenset(name for name in names if name.startswith("decoder.")),
            "positions": frozenset(positions),
            "low_rank": frozenset(name for name in names if name.endswith((".down", ".up")) or is_fresh(name)),
        }

    def add_updates(self, rank: int, seed: int) -> None:
        """Put a low-rank update beside the matrices of all layers; where there are some already, do nothing."""
        generator = torch.Generator().manual_seed(seed)
        for stack in (self.encoder, self.decoder):
            add_updates(stack.layers, rank, generator)

    def merge_updates(self) -> None:
        """Add low-rank updates to their matrices."""
        for stack in (self.encoder, self.decoder):
            merge_updates(stack.layers)
        self._kept.forget()


def _forget_biases(module: Segmenter, _: object) -> None:
    module.forget_biases()
