"""The tiny model of the tests, small enough that a step or a picture takes milliseconds, in three forms.

save_tiny_base    a base with random weights and the real dictionary of OFA: reads any word
save_worded_base  a base with whole names and a list of the words it knows
save_tiny_model   a model adapted to five names, with a dictionary of its own
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from ifseg_cli.core.bases.folder import LoadedModel, save_folder
from ifseg_cli.core.bases.ofa.config import BackboneConfig, ModelConfig
from ifseg_cli.core.bases.ofa.network import ofa_network
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.vocabulary.category import Category
from ifseg_cli.core.vocabulary.known import KnownWords
from ifseg_cli.core.vocabulary.reader import Reader
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer
from ifseg_cli.core.vocabulary.vocabulary import build_vocabulary
from ifseg_cli.core.vocabulary.whole_names import SPACE, engine

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
NAMES = ("cat", "dog", "grass", "sky & <b>sea</b>", "tree")
WORDS = ("<s>", "<pad>", "</s>", "<unk>", "cat", "dog", "grass", "sky", "&", "<b>sea</b>", "tree", "unknown", "object:")
ADAPTED = replace(
    CONFIG,
    dim=32,
    ffn_dim=64,
    heads=4,
    encoder_layers=2,
    tokens=len(WORDS),
    grid=4,
    image_bucket=8,
    short_side=64,
    long_side=256,
    prompt="object:",
)


def tiny_network() -> Segmenter:
    """The network alone, the same at every call."""
    torch.manual_seed(1)
    return ofa_network(CONFIG).eval()


def reader_of(config: ModelConfig, tokenizer: Tokenizer, known: KnownWords | None = None) -> Reader:
    """The text side of a base of this shape."""
    return Reader(tokenizer, config.prompt, config.max_text, known)


def save_tiny_base(folder: Path) -> Path:
    """Write the base that reads any word; its recipe is `default`."""
    reader = reader_of(CONFIG, Tokenizer.load(TOKENIZER))
    save_folder(folder, LoadedModel(tiny_network(), reader, None, "default", folder))
    return folder


def save_worded_base(folder: Path) -> Path:
    """Write the base that knows a list of whole names."""
    tokenizer = Tokenizer.load(TOKENIZER / "whole_names.json")
    config = replace(ADAPTED, tokens=tokenizer.size, prompt=ModelConfig().prompt)
    torch.manual_seed(0)
    reader = reader_of(config, tokenizer, KnownWords.read(TOKENIZER / "words.json"))
    save_folder(folder, LoadedModel(ofa_network(config), reader, None, "default", folder))
    return folder


def save_tiny_model(folder: Path, raw_ids: tuple[int, ...] | None = None) -> Path:
    """Write the model adapted to `NAMES`; with other mask values where raw ids are given."""
    folder.mkdir(parents=True)
    pieces = [(word if word in WORDS[:4] else SPACE + word, -1.0) for word in WORDS]
    engine(pieces, WORDS.index("<unk>")).save(str(folder / "tokenizer.json"))
    reader = reader_of(ADAPTED, Tokenizer.load(folder))
    categories = [Category(name, raw_id=raw_ids[i] if raw_ids else None) for i, name in enumerate(NAMES)]
    vocabulary = build_vocabulary(categories, reader, "names")
    torch.manual_seed(4)
    network = ofa_network(ADAPTED)
    for name, parameter in network.named_parameters():
        if parameter.ndim > 1 and "backbone" not in name:
            torch.nn.init.normal_(parameter, std=0.3)
    network.set_vocabulary(vocabulary.prompt_ids, vocabulary.piece_ids)
    save_folder(folder, LoadedModel(network.eval(), reader, vocabulary, "default", folder))
    return folder
