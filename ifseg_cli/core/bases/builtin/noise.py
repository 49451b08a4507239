"""Artificial cells as the built-in base would see them: class evidence with structure and noise, not clean words.

On clean rows the built-in base has nothing to learn: its words are told apart from the start (loss 0), and what is
learnt there hurts on photographs. So a cell is drawn one step earlier, as evidence for ImageNet classes and textures,
with what photographs do to it, and goes through the base's own `image_proj`:

- a region shows one to three of the classes that speak for its word, with a strength of its own, uneven over the region
- the region, the picture and single cells add evidence for unrelated classes; names that are absent light up in blobs
- evidence bleeds over borders; textures are sometimes wrong
- some regions show a word nobody asked for; they do not count in the loss

Which classes speak for a word is read from its row: the classes whose evidence makes cells that the row answers to.
No picture is used. (Beyond the paper, which draws bare rows.)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ifseg_cli.core.bases.builtin.evidence import CLIP, EvidenceProjection, unpack

PROBE = 12.0  # strength of evidence, in logits, at which rows are asked what they answer to


@dataclass(frozen=True)
class NoiseLevels:
    """How hard artificial evidence is to read; numbers are logits of the ImageNet classifier unless said otherwise."""

    strength: float = 18.0  # of a region's own classes, at most; drawn as strength * u^1.5
    classes: int = 3  # different classes that a region shows, at most
    weak_share: float = 0.25  # share of cells that show a fifth of it
    region: float = 4.0  # of unrelated classes, a region
    picture: float = 2.5  # of unrelated classes, a picture
    null: float = 0.8  # of the classifier's own noise on nothing, times its deviation
    blob: float = 5.0  # of absent names, in blobs
    bleed: float = 0.6  # share of a cell that comes from its neighbourhood, at most
    wrong_texture: float = 0.35  # share of regions with a texture that is not theirs
    unknown: float = 0.35  # share of regions that show a word nobody asked for, in six of ten pictures


@dataclass(frozen=True, eq=False)
class Words:
    """What speaks for each of M words."""

    classes: Tensor  # (M, 1000), rows sum to 1
    texture: Tensor  # (M,) int64, -1 for none


def class_gram(projection: EvidenceProjection) -> Tensor:
    """What evidence for one class looks like in all: (1000, 1000), row k has 1 at k and its look-alikes beside."""
    gram = projection.class_weight @ projection.class_weight.T
    return gram / gram.diagonal()[:, None]


class EvidenceNoise:
    """Draws cells for category maps.

    Args:
        projection: the base's `image_proj`, with the statistics that `scripts/make_builtin.py` put there.
        levels: how hard.
    """

    def __init__(self, projection: EvidenceProjection, levels: NoiseLevels | None = None) -> None:
        self.projection, self.levels = projection, levels or NoiseLevels()
        self.gram = class_gram(projection)
        generator = torch.Generator().manual_seed(0)
        features = torch.randn(2000, projection.null_head_std.shape[0], generator=generator)
        features = (projection.null_head_mean + projection.null_head_std * features).clamp(0, 6)
        null = features @ projection.class_weight.T + projection.class_bias
        self.null = null - null.mean(0)
        self.anchors = unpack(projection.membership)
        quiet = torch.zeros(1, projection.textures)
        silent = projection.null_mean[None]
        self.silent = projection.cells(silent, quiet)  # (1, d): a cell that shows nothing
        self.lit = projection.cells(silent + PROBE * self.gram, quiet.expand(len(self.gram), -1))  # (1000, d)
        drawn = CLIP * torch.eye(projection.textures)
        self.drawn = projection.cells(silent.expand(len(drawn), -1), drawn)  # (T, d): cells that show one texture

    def words(self, rows: Tensor) -> Words:
        """Ask rows (M, d) which classes and textures they answer to."""
        silent = self.silent @ rows.T
        answers = (self.lit @ rows.T - silent).T  # (M, 1000)
        loud = answers > 0.5 * answers.amax(1, keepdim=True)
        classes = torch.where(loud, answers, 0.0).clamp_min(0.0)
        strongest = (self.drawn @ rows.T - silent).T.max(1)
        texture = torch.where(strongest.values > 0.5 * CLIP, strongest.indices, -1)
        return Words(classes / classes.sum(1, keepdim=True).clamp_min(1e-6), texture)

    def draw(self, ids: Tensor, words: Words, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw evidence for maps and bring it into the model's space.

        Args:
            ids: (B, G, G) categories.
            words: what speaks for each category.
            generator: of every random number here.

        Returns:
            Cells (B, N, d), and which categories of which picture turned out to be an unknown word: (B, M) booleans,
            whose pixels do not count.
        """
        draw = _Draw(self, ids, words, generator)
        z, q = draw.evidence()
        return self.projection.cells(z, q), draw.unknown


class _Draw:
    """One batch. Regions are the (picture, category) pairs that occur."""

    def __init__(self, noise: EvidenceNoise, ids: Tensor, words: Words, generator: torch.Generator) -> None:
        self.noise, self.levels, self.words, self.generator = noise, noise.levels, words, generator
        self.batch, self.side = ids.shape[0], ids.shape[1]
        self.count = len(words.texture)
        picture = torch.arange(self.batch)[:, None].expand(-1, self.side**2)
        self.picture = picture.flatten()  # (B * N,)
        pairs = self.picture * self.count + ids.flatten()
        self.pairs, self.region = pairs.unique(return_inverse=True)
        self.unknown = self._unknown()

    def evidence(self) -> tuple[Tensor, Tensor]:
        """z (B, N, 1000) and q (B, N, T)."""
        levels, regions = self.levels, len(self.pairs)
        shown, texture = self._appearance()
        strength = levels.strength * self._uniform(regions) ** 1.5
        own = (strength[self.region] * self._unevenness())[:, None] * shown[self.region]
        around = self._unrelated(regions, levels.region) + self._null(regions) * 0.6
        of_picture = self._unrelated(self.batch, levels.picture) + self._null(self.batch) * 0.6
        z = own + around[self.region] + of_picture[self.picture] + self._blobs()
        z, q = self._maps(z), self._maps(self._textures(texture))
        share = levels.bleed * self._uniform(self.batch)[:, None, None, None]
        z = (1 - share) * z + share * _blur(z, 5)
        z = z + 1.5 * _blur(self._maps(self._null(len(self.picture))), 3)
        z = z.flatten(2).transpose(1, 2) + self.noise.projection.null_mean
        return z, (1.3 * _blur(q, 3)).clamp(-CLIP, CLIP).flatten(2).transpose(1, 2)

    def _unknown(self) -> Tensor:
        hidden = self._uniform(len(self.pairs)) < self.levels.unknown
        open_world = self._uniform(self.batch) < 0.6
        picture = self.pairs // self.count
        hidden &= open_world[picture]
        first = torch.ones_like(hidden)
        first[1:] = picture[1:] != picture[:-1]
        hidden &= ~first  # something to learn from stays in every picture
        unknown = torch.zeros(self.batch * self.count, dtype=torch.bool)
        unknown[self.pairs[hidden]] = True
        return unknown.view(self.batch, self.count)

    def _appearance(self) -> tuple[Tensor, Tensor]:
        """Class evidence (R, 1000) and texture (R,) that each region shows at strength 1."""
        category = self.pairs % self.count
        weights, texture = self.words.classes[category], self.words.texture[category].clone()
        hidden = self.unknown.view(-1)[self.pairs]
        strangers = self._integers(len(self.noise.anchors), int(hidden.sum()))
        weights[hidden] = self.noise.anchors[strangers].float()
        texture[hidden] = self.noise.projection.anchor_texture[strangers].long()
        weights = torch.where(weights.sum(1, keepdim=True) > 0, weights, torch.ones_like(weights))
        kinds = torch.multinomial(weights, self.levels.classes, replacement=True, generator=self.generator)
        share = self._uniform(*kinds.shape)
        several = torch.arange(self.levels.classes) < 1 + self._integers(self.levels.classes, len(kinds))[:, None]
        share = share * several
        share = share / share.amax(1, keepdim=True).clamp_min(1e-6)
        return torch.einsum("rk,rkc->rc", share, self.noise.gram[kinds]), texture

    def _unevenness(self) -> Tensor:
        """How much of a region's strength each cell shows: smooth, with weak cells, about 0.1 to 1.3; (B * N,)."""
        coarse = torch.randn(self.batch, 1, 4, 4, generator=self.generator)
        smooth = F.interpolate(coarse, size=(self.side, self.side), mode="bicubic", align_corners=False)
        shown = torch.sigmoid(2 * smooth.flatten() + 1) * (0.6 + 0.8 * self._uniform(len(self.picture)))
        weak = self._uniform(len(self.picture)) < self.levels.weak_share
        return torch.where(weak, 0.2 * shown, shown)

    def _unrelated(self, count: int, level: float) -> Tensor:
        """Evidence for two random classes: (count, 1000)."""
        kinds = self._integers(len(self.noise.gram), 2 * count).view(count, 2)
        return torch.einsum("rk,rkc->rc", level * self._uniform(count, 2), self.noise.gram[kinds])

    def _null(self, count: int) -> Tensor:
        """The classifier's answer to nothing, without its mean: (count, 1000)."""
        return self.levels.null * self.noise.null[self._integers(len(self.noise.null), count)]

    def _blobs(self) -> Tensor:
        """Names of the vocabulary, mostly absent ones, light up in up to three blobs a picture: (B * N, 1000)."""
        rows, columns = torch.meshgrid(torch.arange(self.side), torch.arange(self.side), indexing="ij")
        total = torch.zeros(self.batch, self.side**2, 1000)
        for _ in range(3):
            category = self._integers(self.count, self.batch)
            kinds = torch.multinomial(self.words.classes[category] + 1e-9, 1, generator=self.generator)[:, 0]
            centre = self._uniform(2, self.batch, 1, 1) * self.side
            width = 1 + 2.5 * self._uniform(self.batch, 1, 1)
            near = torch.exp(-((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / (2 * width**2)).flatten(1)
            level = self.levels.blob * self._uniform(self.batch, 1) * (self._uniform(self.batch, 1) < 0.5)
            total += (near * level)[:, :, None] * self.noise.gram[kinds][:, None, :]
        return total.flatten(0, 1)

    def _textures(self, texture: Tensor) -> Tensor:
        """Texture evidence of each cell, from drawn samples of its region's texture: (B * N, T)."""
        pool = self.noise.projection.texture_pool  # (T, P, T)
        wrong = (self._uniform(len(texture)) < self.levels.wrong_texture) | (texture < 0)
        texture = torch.where(wrong, self._integers(len(pool), len(texture)), texture)
        cells, regions = len(self.region), len(texture)
        of_cell = pool[texture[self.region], self._integers(pool.shape[1], cells)]
        of_region = pool[texture, self._integers(pool.shape[1], regions)][self.region]
        anything = pool.flatten(0, 1)[self._integers(len(pool) * pool.shape[1], cells)]
        mixed = 0.5 * self._uniform(regions)[self.region, None]
        share = 0.6 * self._uniform(cells, 1)
        return (1 - mixed) * (share * of_region + (1 - share) * of_cell) + mixed * anything

    def _maps(self, values: Tensor) -> Tensor:
        """(B * N, C) -> (B, C, G, G)."""
        return values.view(self.batch, self.side, self.side, -1).permute(0, 3, 1, 2)

    def _uniform(self, *shape: int) -> Tensor:
        return torch.rand(*shape, generator=self.generator)

    def _integers(self, high: int, count: int) -> Tensor:
        return torch.randint(high, (count,), generator=self.generator)


def _blur(maps: Tensor, size: int) -> Tensor:
    """Mean over size x size cells, the border repeated."""
    return F.avg_pool2d(F.pad(maps, (size // 2,) * 4, mode="replicate"), size, 1)
