"""A model folder with random weights, small enough that a picture takes a few milliseconds."""

from __future__ import annotations

from pathlib import Path

import tokenizers
import torch

from ifseg_cli.core.checkpoint.folder import LoadedModel, save_folder
from ifseg_cli.core.model.config import BackboneConfig, ModelConfig
from ifseg_cli.core.model.segmenter import Segmenter
from ifseg_cli.core.tokenizer import Tokenizer
from ifseg_cli.core.vocabulary.category import Category
from ifseg_cli.core.vocabulary.vocabulary import build_vocabulary

NAMES = ("cat", "dog", "grass", "sky & <b>sea</b>", "tree")
WORDS = ("<s>", "<pad>", "</s>", "<unk>", "cat", "dog", "grass", "sky", "&", "<b>sea</b>", "tree", "unknown", "object:")
CONFIG = ModelConfig(
    dim=32,
    ffn_dim=64,
    heads=4,
    encoder_layers=2,
    decoder_layers=2,
    tokens=len(WORDS),
    backbone=BackboneConfig(blocks=(1, 1, 1), width=8),
    grid=4,
    image_bucket=8,
    short_side=64,
    long_side=256,
    prompt="object:",
)


def save_tiny_model(folder: Path, raw_ids: tuple[int, ...] | None = None) -> Path:
    """Write a model adapted to `NAMES`; with other mask values where raw ids are given."""
    engine = tokenizers.Tokenizer(tokenizers.models.WordLevel({word: i for i, word in enumerate(WORDS)}, "<unk>"))
    engine.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    folder.mkdir(parents=True)
    engine.save(str(folder / "tokenizer.json"))
    tokenizer = Tokenizer.load(folder)
    categories = [Category(name, raw_id=raw_ids[i] if raw_ids else None) for i, name in enumerate(NAMES)]
    vocabulary = build_vocabulary(categories, tokenizer, CONFIG.prompt, CONFIG.max_text, "names")
    torch.manual_seed(4)
    segmenter = Segmenter(CONFIG)
    for name, parameter in segmenter.named_parameters():
        if parameter.ndim > 1 and "backbone" not in name:
            torch.nn.init.normal_(parameter, std=0.3)
    segmenter.set_vocabulary(vocabulary.prompt_ids, vocabulary.piece_ids)
    save_folder(folder, LoadedModel(segmenter.eval(), tokenizer, vocabulary, None, "default", folder))
    return folder
