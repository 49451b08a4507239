"""A base with random weights and the real dictionary of OFA, small enough that a step takes milliseconds."""

from __future__ import annotations

from pathlib import Path

import torch

from ifseg_cli.core.checkpoint.folder import LoadedModel, save_folder
from ifseg_cli.core.model.config import BackboneConfig, ModelConfig
from ifseg_cli.core.model.segmenter import Segmenter
from ifseg_cli.core.tokenizer import Tokenizer

TOKENIZER = Path(__file__).parents[1] / "data" / "tokenizer"
CONFIG = ModelConfig(
    dim=16,
    ffn_dim=32,
    heads=2,
    encoder_layers=1,
    decoder_layers=2,
    tokens=59457,
    backbone=BackboneConfig(blocks=(1, 1, 1), width=8),
    grid=6,
    image_bucket=9,
    short_side=48,
    long_side=192,
)


def tiny_segmenter() -> Segmenter:
    """The model alone, the same at every call."""
    torch.manual_seed(1)
    return Segmenter(CONFIG).eval()


def save_tiny_base(folder: Path) -> Path:
    """Write it as a base folder; its recipe is `default`."""
    save_folder(folder, LoadedModel(tiny_segmenter(), Tokenizer.load(TOKENIZER), None, None, "default", folder))
    return folder
