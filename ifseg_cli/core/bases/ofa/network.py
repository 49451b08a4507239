"""OFA whole: its ResNet in front of the segmenter."""

from __future__ import annotations

from ifseg_cli.core.bases.ofa.config import ModelConfig
from ifseg_cli.core.bases.ofa.resnet import LinearProjection, ResNet
from ifseg_cli.core.bases.ofa.segmenter import Segmenter


def ofa_network(config: ModelConfig) -> Segmenter:
    """A published OFA of these sizes, with random weights."""
    backbone = ResNet(config.backbone.blocks, config.backbone.width)
    return Segmenter(config, backbone, LinearProjection(backbone.channels, config.dim))
