"""Small files in every published layout, made from one random model: what tests of loading read and break."""

from __future__ import annotations

import argparse
import json
import re
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ifseg_cli.core.bases.ofa.config import BackboneConfig, ModelConfig
from ifseg_cli.core.bases.ofa.initialise import initialise
from ifseg_cli.core.bases.ofa.keymap import is_fresh
from ifseg_cli.core.bases.ofa.network import ofa_network
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer

TOKENIZER = Path(__file__).parents[1] / "data" / "tokenizer"
NAMES = ("giraffe", "tennis racket", "sky")
SIZES = {
    "encoder_embed_dim": 8,
    "encoder_ffn_embed_dim": 16,
    "encoder_attention_heads": 2,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "image_bucket_size": 42,
    "token_bucket_size": 256,
}
PORT_SIZES = {"model_type": "ofa", "d_model": 8, "encoder_ffn_dim": 16, "encoder_layers": 1, "vocab_size": 59457}
CONFIG = ModelConfig(
    dim=8,
    ffn_dim=16,
    heads=2,
    encoder_layers=1,
    decoder_layers=1,
    tokens=59457,
    backbone=BackboneConfig(blocks=(1, 1, 1), width=4),
)
PORT_NAMES = (
    (r"^backbone\.", "encoder.embed_images."),
    (r"^image_proj\.", "encoder.image_proj."),
    (r"^embed_tokens\.", "encoder.embed_tokens."),
    (r"^(encoder\.layers\.\d+)\.attn_ln\.", r"\1.self_attn_mid_layer_norm."),
    (r"^(decoder\.layers\.\d+)\.self_attn_ln\.", r"\1.self_attn_mid_layer_norm."),
    (r"^(decoder\.layers\.\d+)\.cross_attn_ln\.", r"\1.cross_attn_mid_layer_norm."),
    (r"^(decoder\.layers\.\d+)\.encoder_attn\.", r"\1.cross_attn."),
    (r"^(decoder\.layers\.\d+)\.encoder_attn_layer_norm\.", r"\1.cross_attn_layer_norm."),
    (r"^(.*\.layers\.\d+)\.ffn_layernorm\.", r"\1.ffn_layer_norm."),
)


def network() -> Segmenter:
    """The model behind the files, the same at every call."""
    torch.manual_seed(3)
    made = ofa_network(CONFIG)
    initialise(made)
    return made.eval()


def published(model: Segmenter, renamed: tuple[tuple[str, str], ...] = PORT_NAMES[:3]) -> dict[str, Tensor]:
    """Entries under published names (fairseq's unless told otherwise), segmentation included."""
    entries: dict[str, Tensor] = {}
    for name, tensor in model.state_dict().items():
        for pattern, replacement in renamed:
            if re.match(pattern, name):
                name = re.sub(pattern, replacement, name)
                break
        entries[name] = tensor.clone()
    entries["decoder.embed_tokens.weight"] = entries["encoder.embed_tokens.weight"]
    return entries


def bare(entries: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without the segmentation entries, as a pre-trained OFA."""
    return {name: each for name, each in entries.items() if not is_fresh(name)}


def tokenizer_beside(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(TOKENIZER / name, folder / name)
    return folder


def pretrained_file(folder: Path, **settings: Any) -> Path:
    """A fairseq file of a pre-trained OFA with its tokenizer beside it."""
    tokenizer_beside(folder)
    checkpoint = {"args": None, "cfg": {"model": argparse.Namespace(**(SIZES | settings))}}
    entries = bare(published(network()))
    entries["decoder.output_projection.weight"] = entries["encoder.embed_tokens.weight"]
    entries["encoder.version"] = torch.tensor([3.0])
    torch.save(checkpoint | {"model": entries}, folder / "ofa.pt")
    return folder / "ofa.pt"


def training_file(folder: Path, names: tuple[str, ...] = NAMES, **settings: Any) -> Path:
    """A training checkpoint of the published program with its tokenizer beside it."""
    model, tokenizer = network(), Tokenizer.load(tokenizer_beside(folder))
    model.set_vocabulary([0, 2], [[tokenizer.encode(name)] for name in names])
    entries = published(model)
    for name in ("decoder.seg_projection", "decoder.seg_embed_tokens", "encoder.seg_embed_tokens"):
        entries[f"{name}.weight"] = model.rows
    own = {"category_list": ", ".join(names), "num_seg_tokens": len(names), "decoder_type": "surrogate"}
    checkpoint = {"args": None, "cfg": {"task": own, "model": argparse.Namespace(**(SIZES | own | settings))}}
    torch.save(checkpoint | {"model": entries, "last_optimizer_state": {}}, folder / "checkpoint_best.pt")
    return folder / "checkpoint_best.pt"


def port_folder(folder: Path, **settings: Any) -> Path:
    """A folder of OFA's Hugging Face port."""
    tokenizer_beside(folder)
    torch.save(bare(published(network(), PORT_NAMES)), folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps(PORT_SIZES | settings))
    return folder
