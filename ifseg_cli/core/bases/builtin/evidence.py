"""From what an ImageNet classifier sees to cells in the space of words: `image_proj` of the built-in base.

A cell's features give evidence for 1,000 classes (the classifier itself) and for drawn textures (a discriminant).
A word is known by the classes under it in WordNet's tree, or by those it is seen with, and perhaps by a texture, so its
score in a cell is

    s_w = log sum_{k in C(w)} exp z_k  -  0.6 log |C(w)|  +  q_t(w)

for the M anchor words that have class sets of their own. The cell is what d - 1 principal directions keep of all M
scores, and a last coordinate that is always c = 4:

    e = [P (s - mean); c]        row of w = [p_w; mean_w / c]        row . e ~ s_w

What captions of photographs taught about words beyond their classes stands in k more coordinates before the last,
linear in the class evidence; a word that captions did not name has zeros there, and its score is as without them:

    e = [P (s - mean); R z + r; c]        row of w = [p_w; v_w; mean_w / c]

So patches and words meet in one space, as in OFA; only that here the way into it is not one linear map but
linear, log-sum-exp, linear. All of it is frozen. `scripts/make_builtin.py` makes the tensors.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ifseg_cli.core.bases.base import Seen
from ifseg_cli.core.bases.builtin.efficientnet import HEAD_CHANNELS, MID_CHANNELS, Features

NUM_CLASSES = 1000
TEXTURE_SAMPLES = 64  # cells of each drawn texture that are kept as examples of its evidence
# Large enough that a row is its direction more than its offset, small enough not to fill a cell's norm.
CONSTANT = 4.0
CLIP = 4.0  # texture evidence is a log-ratio to chance, within -4..4: no texture alone decides against clear classes


class EvidenceProjection(nn.Module):
    """The frozen projection from features to cells.

    Args:
        anchors: M, words with class sets of their own.
        textures: T, drawn textures.
        dim: d, width of a cell.
        captions: k, coordinates learnt from captions.
    """

    class_weight: Tensor
    class_bias: Tensor
    texture_weight: Tensor
    texture_bias: Tensor
    membership: Tensor
    anchor_bias: Tensor
    anchor_texture: Tensor
    anchor_mean: Tensor
    projection: Tensor
    caption_weight: Tensor
    caption_bias: Tensor
    null_head_mean: Tensor
    null_head_std: Tensor
    null_mean: Tensor
    texture_pool: Tensor

    def __init__(self, anchors: int, textures: int, dim: int = 256, captions: int = 0) -> None:
        super().__init__()
        self.anchors, self.textures, self.dim, self.captions = anchors, textures, dim, captions
        self.register_buffer("class_weight", torch.zeros(NUM_CLASSES, HEAD_CHANNELS))
        self.register_buffer("class_bias", torch.zeros(NUM_CLASSES))
        self.register_buffer("texture_weight", torch.zeros(textures, MID_CHANNELS))
        self.register_buffer("texture_bias", torch.zeros(textures))
        # Class k belongs to word w if bit k % 8 (the lowest first) of byte k // 8 is set: an eighth of a byte each.
        self.register_buffer("membership", torch.zeros(anchors, NUM_CLASSES // 8, dtype=torch.uint8))
        self.register_buffer("anchor_bias", torch.zeros(anchors))
        self.register_buffer("anchor_texture", torch.full((anchors,), -1, dtype=torch.int16))
        self.register_buffer("anchor_mean", torch.zeros(anchors))
        self.register_buffer("projection", torch.zeros(dim - 1 - captions, anchors))
        if captions:
            self.register_buffer("caption_weight", torch.zeros(captions, NUM_CLASSES))
            self.register_buffer("caption_bias", torch.zeros(captions))
        # What artificial evidence is drawn from (`noise.py`): features before ReLU6 as the head's
        # batch norm says they are spread, the class logits they give on average, and evidence of drawn textures.
        self.register_buffer("null_head_mean", torch.zeros(HEAD_CHANNELS))
        self.register_buffer("null_head_std", torch.ones(HEAD_CHANNELS))
        self.register_buffer("null_mean", torch.zeros(NUM_CLASSES))
        self.register_buffer("texture_pool", torch.zeros(textures, TEXTURE_SAMPLES, textures))
        self._dense: Tensor | None = None
        self.register_load_state_dict_post_hook(_forget_dense)

    def forward(self, features: Features) -> Tensor:
        """Features of B pictures -> cells (B, N, d), N = h * w row-major."""
        return self.cells(*self.evidence(features))

    def evidence(self, features: Features) -> tuple[Tensor, Tensor]:
        """What the cells show: class logits z (B, N, 1000) and texture log-ratios q (B, N, T) in -4..4."""
        head = features.head.flatten(2).transpose(1, 2)  # (B, N, 1280)
        mid = features.mid.flatten(2).transpose(1, 2)  # (B, N, 235)
        z = nn.functional.linear(head, self.class_weight, self.class_bias)
        logits = nn.functional.linear(mid, self.texture_weight, self.texture_bias)
        chance = torch.log(torch.tensor(float(max(1, self.textures))))
        return z, (logits.log_softmax(-1) + chance.to(logits)).clamp(-CLIP, CLIP)

    def anchor_scores(self, z: Tensor, q: Tensor) -> Tensor:
        """Scores s (..., M) of all anchor words from class logits z (..., 1000) and texture log-ratios q (..., T)."""
        top = z.amax(-1, keepdim=True)
        # Sums of positive numbers: nothing cancels, and a word whose classes are all 80 below the best is just absent.
        scores = (torch.exp(z - top) @ self._members()).clamp_min(1e-35).log() + top + self.anchor_bias
        drawn = (self.anchor_texture >= 0).nonzero()[:, 0]
        return scores.index_add(-1, drawn, q[..., self.anchor_texture[drawn].long()])

    def cells(self, z: Tensor, q: Tensor) -> Tensor:
        """Cells e (..., d), the last coordinate CONSTANT, from class logits z (..., 1000) and log-ratios q (..., T)."""
        centred = self.anchor_scores(z, q) - self.anchor_mean
        parts = [nn.functional.linear(centred, self.projection)]
        if self.captions:
            parts.append(nn.functional.linear(z, self.caption_weight, self.caption_bias))
        return torch.cat([*parts, torch.full_like(z[..., :1], CONSTANT)], dim=-1)

    def _members(self) -> Tensor:
        """Membership as zeros and ones (1000, M), unpacked once for a device and precision."""
        if (
            self._dense is None
            or self._dense.device != self.membership.device
            or self._dense.dtype != self.class_weight.dtype
        ):
            self._dense = unpack(self.membership).T.to(self.class_weight.dtype).contiguous()
        return self._dense


class EvidenceCells(EvidenceProjection):
    """The same as the network's way in."""

    def forward(self, features: Features) -> Seen:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Features -> Seen; smoothing compares the middle stages, in which neighbours of one surface are alike."""
        grid = (features.head.shape[2], features.head.shape[3])
        return Seen(super().forward(features), features.similarity, grid)


def pack(members: Tensor) -> Tensor:
    """Membership (M, K) of booleans, K a multiple of 8 -> bytes (M, K // 8), the lowest bit first."""
    bits = members.view(len(members), -1, 8).to(torch.uint8)
    return (bits << torch.arange(8, dtype=torch.uint8, device=bits.device)).sum(-1).to(torch.uint8)


def unpack(packed: Tensor) -> Tensor:
    """The inverse of `pack`: bytes (M, K // 8) -> booleans (M, K)."""
    shifts = torch.arange(8, dtype=torch.uint8, device=packed.device)
    return ((packed[..., None] >> shifts) & 1).bool().flatten(1)


def _forget_dense(module: EvidenceProjection, _: object) -> None:
    module._dense = None  # pyright: ignore[reportPrivateUsage]
