"""The published program's compact model and numbers, as the parity tests read them.

`fairseq_ckpt.pt` is a training checkpoint of the published program (float16, random weights), `io.safetensors` its
inputs and outputs, `text_io.safetensors` those of OFA's Hugging Face port with the same weights.
"""

from __future__ import annotations

import argparse
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from published_files import PORT_NAMES
from safetensors.torch import load_file
from torch import Tensor

from ifseg_cli.core.bases.folder import build_segmenter
from ifseg_cli.core.bases.ofa.config import BackboneConfig, ModelConfig
from ifseg_cli.core.bases.ofa.keymap import our_name
from ifseg_cli.core.bases.ofa.segmenter import Segmenter

HERE = Path(__file__).parent
IMAGES = ("img_square", "img_wide", "img_tall", "img_small", "img_eval")
CONFIG = ModelConfig(
    dim=32,
    ffn_dim=64,
    heads=4,
    encoder_layers=2,
    decoder_layers=2,
    tokens=59458,
    backbone=BackboneConfig(blocks=(1, 1, 1)),
)


@lru_cache(maxsize=1)
def numbers() -> dict[str, Tensor]:
    """Every tensor of `io.safetensors`."""
    return load_file(HERE / "io.safetensors")


@lru_cache(maxsize=1)
def weights() -> dict[str, Tensor]:
    """The checkpoint's entries in float32 under our names."""
    with torch.serialization.safe_globals([argparse.Namespace]):
        published = torch.load(HERE / "fairseq_ckpt.pt", weights_only=True)["model"]
    named = ((our_name(name), tensor) for name, tensor in published.items())
    return {name: tensor.float() for name, tensor in named if name is not None}


def network() -> Segmenter:
    """The compact model with its seven categories, in eval mode."""
    made = build_segmenter(CONFIG, {name: each.clone() for name, each in weights().items()}, "fairseq_ckpt.pt")
    io = numbers()
    lengths, ids = io["tokens.category_lengths"].tolist(), iter(io["tokens.category_ids"].tolist())
    pieces = [[[next(ids) for _ in range(length)]] for length in lengths]
    made.set_vocabulary(io["tokens.source"].tolist(), pieces)
    return made.eval()


# What a training checkpoint of the published program has beyond a pre-trained OFA.
OF_TRAINING = ("seg_", "seg_pos_ln", "embed_seg_positions", "bin_id_offset", "region_prefix", "embed_tokens_bag")


def _bare() -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The training checkpoint, and its entries without those of segmentation, the dictionary an entry shorter."""
    with torch.serialization.safe_globals([argparse.Namespace]):
        checkpoint = torch.load(HERE / "fairseq_ckpt.pt", weights_only=True)
    entries = {n: each for n, each in checkpoint["model"].items() if not any(part in n for part in OF_TRAINING)}
    rows = entries["encoder.embed_tokens.weight"][:-1].clone()
    tied = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "decoder.output_projection.weight")
    return checkpoint, entries | dict.fromkeys(tied, rows)


def fairseq_file(path: Path) -> Path:
    """The compact model as a pre-trained OFA of fairseq's."""
    checkpoint, entries = _bare()
    torch.save({"args": None, "cfg": checkpoint["cfg"], "model": entries}, path)
    return path


def port_folder(folder: Path) -> Path:
    """The compact model as a folder of OFA's Hugging Face port, without its tokenizer."""
    folder.mkdir()
    _, entries = _bare()
    named: dict[str, Tensor] = {}
    for name, each in entries.items():
        if name.endswith(".version") or "bucket" in name:
            continue
        for pattern, replacement in PORT_NAMES:
            if re.match(pattern, name):
                name = re.sub(pattern, replacement, name)
                break
        named[name] = each[:-1] if name == "decoder.image_position_idx" else each
    torch.save(named, folder / "pytorch_model.bin")
    sizes = {"d_model": CONFIG.dim, "encoder_ffn_dim": CONFIG.ffn_dim, "encoder_attention_heads": CONFIG.heads}
    sizes |= {"encoder_layers": CONFIG.encoder_layers, "decoder_layers": CONFIG.decoder_layers}
    settings = {"model_type": "ofa", "resnet_type": "resnet50", "vocab_size": CONFIG.tokens - 1, **sizes}
    (folder / "config.json").write_text(json.dumps(settings))
    return folder


def pixels(group: str) -> Tensor:
    """The network input of an image group: (H, W, 3) uint8."""
    io = numbers()
    if f"{group}.resized" in io:
        return io[f"{group}.resized"]
    if f"{group}.image" in io:
        return io[f"{group}.image"]
    height, width = (512, 683) if group == "img_wide" else (683, 512)
    large = io[f"{group}.image_quarter"].repeat_interleave(4, 0).repeat_interleave(4, 1)
    return large[:height, :width]


def normalised(group: str) -> Tensor:
    """The network input of an image group: (1, 3, H, W)."""
    return ((pixels(group).float() / 255 - 0.5) / 0.5).permute(2, 0, 1)[None]


def largest_difference(ours: Tensor, theirs: Tensor) -> float:
    """The largest absolute difference."""
    assert ours.shape == theirs.shape
    return (ours.double() - theirs.double()).abs().max().item()
