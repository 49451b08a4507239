"""The space in which words and patches meet: M scores of anchor words, kept in d - 1 principal directions.

No photograph is looked at: the directions are those in which the scores of artificial evidence vary, half of it drawn
textures, half the classifier's last features as its batch norm knows them (ReLU6 of a normal distribution), pushed
towards a random class.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from builtin.drawn import Drawn, discriminant
from builtin.published import Published
from builtin.words import Anchor, Words
from ifseg_cli.core.bases.builtin.efficientnet import EfficientNetLite, Features
from ifseg_cli.core.bases.builtin.evidence import CONSTANT, NUM_CLASSES, TEXTURE_SAMPLES, EvidenceProjection, pack
from ifseg_cli.scenes.textures import TEXTURES

SIZE_PENALTY = 0.6  # alpha: of log |C(w)|; without one, words with many classes win everywhere
HEAVY = 2.0  # weight of the lexicon's and of common words in the principal directions
PUSH = 8.0  # largest push of a sampled feature towards a class
PATCHES = 6000


@dataclass(frozen=True)
class Evidence:
    """Artificial evidence in n cells: class logits z (n, 1000), texture log-ratios q (n, T)."""

    z: Tensor
    q: Tensor


def projection(published: Published, drawn: Drawn, words: Words, dim: int = 320, seed: int = 0) -> EvidenceProjection:
    """`image_proj`, complete: class evidence, textures, anchors, and the directions that are kept."""
    anchors = words.anchors
    made = EvidenceProjection(len(anchors), len(TEXTURES), dim)
    made.class_weight, made.class_bias = published.class_weight, published.class_bias
    made.texture_weight, made.texture_bias = discriminant(drawn)
    made.membership = pack(members(anchors))
    sizes = torch.tensor([float(len(anchor.classes)) for anchor in anchors])
    made.anchor_bias = -SIZE_PENALTY * sizes.log()
    names = list(TEXTURES)
    drawn_as = [names.index(anchor.texture) if anchor.texture else -1 for anchor in anchors]
    made.anchor_texture = torch.tensor(drawn_as, dtype=torch.int16)
    evidence = artificial(published, drawn, made, seed)
    scores = made.anchor_scores(evidence.z, evidence.q)
    made.anchor_mean = scores.mean(0)
    made.projection = _directions(scores - made.anchor_mean, weights(words), dim - 1, seed)
    _add_statistics(made, published, drawn, seed)
    return made


def _add_statistics(made: EvidenceProjection, published: Published, drawn: Drawn, seed: int) -> None:
    """What artificial evidence is drawn from: the classifier's answer to nothing, and examples of drawn textures."""
    generator = torch.Generator().manual_seed(seed)
    made.null_head_mean, made.null_head_std = published.head_mean.clone(), published.head_deviation.clone()
    null = nulls(published, PATCHES, generator)
    made.null_mean = (null @ published.class_weight.T + published.class_bias).mean(0)
    _, q = made.evidence(Features(drawn.head.T[None, :, :, None], drawn.mid.T[None, :, :, None]))
    pool: list[Tensor] = []
    for number in range(len(TEXTURES)):
        own = (drawn.texture == number).nonzero()[:, 0]
        pool.append(q[0, own[torch.randint(len(own), (TEXTURE_SAMPLES,), generator=generator)]])
    made.texture_pool = torch.stack(pool)


def rows(projection: EvidenceProjection, weight: Tensor) -> Tensor:
    """Rows (M, d) of the anchors: row . cell is the anchor's score, as well as d - 1 directions can say it.

    The directions are orthogonal up to one factor: with A = `projection` (d - 1, M) = c V' D, the row is (V / D) / c.
    """
    scaled = projection.projection / weight  # c V'
    inner = scaled / scaled.square().sum(1, keepdim=True)  # V' / c
    return torch.cat([(inner / weight).T, projection.anchor_mean[:, None] / CONSTANT], dim=1)


def weights(words: Words) -> Tensor:
    """D (M,): how much each anchor counts in the principal directions."""
    return torch.tensor([HEAVY if anchor in words.heavy else 1.0 for anchor in words.anchors])


def members(anchors: list[Anchor]) -> Tensor:
    """Which classes (M, 1000) belong to which anchor."""
    found = torch.zeros(len(anchors), NUM_CLASSES, dtype=torch.bool)
    for row, anchor in enumerate(anchors):
        found[row, list(anchor.classes)] = True
    return found


def artificial(published: Published, drawn: Drawn, made: EvidenceProjection, seed: int) -> Evidence:
    """Evidence without photographs: half drawn textures, half sampled features pushed towards classes."""
    generator = torch.Generator().manual_seed(seed)
    half = PATCHES // 2
    chosen = torch.randint(len(drawn.head), (half,), generator=generator)
    pushed = torch.randint(NUM_CLASSES, (half,), generator=generator)
    push = torch.rand(half, 1, generator=generator) * PUSH
    other = torch.randint(len(drawn.head), (half,), generator=generator)
    head = torch.cat(
        [drawn.head[chosen], _pushed(nulls(published, half, generator), published.class_weight[pushed] * push)]
    )
    mid = torch.cat([drawn.mid[chosen], drawn.mid[other]])
    z, q = made.evidence(Features(head.T[None, :, :, None], mid.T[None, :, :, None]))
    return Evidence(z[0], q[0])


def nulls(published: Published, count: int, generator: torch.Generator) -> Tensor:
    """Last features (n, 1280) of no class in particular: what batch norm knows of ImageNet's patches."""
    normal = torch.randn(count, len(published.head_mean), generator=generator)
    return (published.head_mean + published.head_deviation * normal).clamp(0, 6)


def _pushed(features: Tensor, push: Tensor) -> Tensor:
    return (features + push).clamp(0, 6)


def _directions(centred: Tensor, weight: Tensor, count: int, seed: int) -> Tensor:
    """P (count, M): principal directions of the weighted scores, rotated at random, cells at RMS 1 a coordinate.

    Principal coordinates differ in size by orders of magnitude; a rotation spreads what they say over all of them, as
    the transformer's norms expect, and changes no inner product.
    """
    weighted = centred * weight
    covariance = weighted.T @ weighted / len(weighted)
    vectors = torch.linalg.eigh(covariance).eigenvectors[:, -count:]
    rotation = torch.linalg.qr(torch.randn(count, count, generator=torch.Generator().manual_seed(seed))).Q
    kept = rotation @ vectors.T
    scale = (weighted @ kept.T).square().mean().sqrt()
    return kept * weight / scale


def backbone(published: Published) -> EfficientNetLite:
    """The frozen trunk with the published weights."""
    made = EfficientNetLite().eval()
    made.load_state_dict(published.backbone)
    return made
