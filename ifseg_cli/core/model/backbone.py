"""Backbones by kind, each with its way into the transformer's width.

A backbone gives features; an `image_proj` turns them into what the rest of the model sees (`Seen`).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ifseg_cli.core.model.config import ModelConfig
from ifseg_cli.core.model.efficientnet import EfficientNetLite, Features
from ifseg_cli.core.model.evidence import EvidenceProjection
from ifseg_cli.core.model.positions import Grid
from ifseg_cli.core.model.resnet import ResNet


@dataclass(frozen=True)
class Seen:
    """What a batch of pictures looks like."""

    cells: Tensor  # (B, N, d), row by row: the transformer's input
    similarity: Tensor  # (B, N, C): features that smoothing compares by cosine
    grid: Grid  # (h, w), N = h * w


class LinearProjection(nn.Linear):
    """OFA's `image_proj`: one linear map from the ResNet's channels to d."""

    def forward(self, features: Tensor) -> Seen:  # pyright: ignore[reportIncompatibleMethodOverride]
        """(B, C, h, w) -> Seen; smoothing compares the features themselves."""
        grid = (features.shape[2], features.shape[3])
        flat = features.flatten(2).transpose(1, 2)  # (B, N, C)
        return Seen(super().forward(flat), flat, grid)


class EvidenceCells(EvidenceProjection):
    """The built-in base's `image_proj`: class and texture evidence, brought into the space of words."""

    def forward(self, features: Features) -> Seen:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Features -> Seen; smoothing compares the middle stages, in which neighbours of one surface are alike."""
        grid = (features.head.shape[2], features.head.shape[3])
        return Seen(super().forward(features), features.similarity, grid)


def make_backbone(config: ModelConfig) -> tuple[nn.Module, nn.Module]:
    """The backbone a configuration names, and its projection."""
    if config.backbone.kind == "resnet":
        backbone = ResNet(config.backbone.blocks, config.backbone.width)
        return backbone, LinearProjection(backbone.channels, config.dim)
    if config.backbone.kind == "efficientnet-lite":
        return EfficientNetLite(), EvidenceCells(config.backbone.anchors, config.backbone.textures, config.dim)
    raise ValueError(f"unknown backbone {config.backbone.kind!r}")
