"""The base as a model: the space of words and patches, with an encoder and a decoder in OFA's form on top."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from ifseg_cli.core.bases.builtin.network import BuiltinNetwork
from ifseg_cli.core.bases.folder import LoadedModel
from ifseg_cli.core.bases.ofa.config import BackboneConfig, ModelConfig
from ifseg_cli.core.bases.ofa.initialise import initialise
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.vocabulary.known import KnownWords
from ifseg_cli.core.vocabulary.reader import Reader
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer

GRID = 16  # native grid: what a minute of adaptation on two cores can afford
SHORT_SIDE = 448  # of pictures: 28 cells; better on scenes than 320 or 512
RECIPE = "quick"
OUTPUT = 0.15  # of the decoder's last norm: its scores begin with a deviation of about 0.3


def fresh(work: Path) -> LoadedModel:
    """The space of `work` with an untrained encoder and decoder, which add little to the plain scores to begin with."""
    folder = work / "space"
    tensors = load_file(folder / "space.safetensors")
    config = ModelConfig(
        dim=tensors["embed_tokens.weight"].shape[1],
        ffn_dim=512,
        heads=4,
        encoder_layers=4,
        decoder_layers=4,
        tokens=len(tensors["embed_tokens.weight"]),
        backbone=BackboneConfig(
            kind="efficientnet-lite",
            anchors=len(tensors["image_proj.membership"]),
            textures=len(tensors["image_proj.texture_bias"]),
        ),
        grid=GRID,
        residual=True,
        short_side=SHORT_SIDE,
    )
    torch.manual_seed(0)
    segmenter = BuiltinNetwork(config)
    segmenter.load_state_dict(
        {name: each.float() for name, each in tensors.items() if each.is_floating_point()}, strict=False
    )
    for name in ("anchor_texture", "membership"):
        segmenter.image_proj.get_buffer(name).copy_(tensors[f"image_proj.{name}"])
    _begin_plain(segmenter)
    known = KnownWords.read(folder / "words.json")
    reader = Reader(Tokenizer.load(folder), config.prompt, config.max_text, known)
    return LoadedModel(segmenter.eval(), reader, None, RECIPE, folder)


@torch.no_grad()
def _begin_plain(segmenter: Segmenter) -> None:
    """Weights before the first step.

    - The decoder's last norm is small: scores are nearly the plain scores, and training starts from there. (At 0 it
      learns next to nothing in 600 steps: what is below gets gradients only through it.)
    - Queries and keys of the encoder are the identity: a word attends to cells like it, a cell to its word and to cells
      like itself, before anything is learnt.
    """
    for stack in (segmenter.encoder, segmenter.decoder):
        initialise(stack)
    for layer in segmenter.encoder.layers:
        attention = layer.get_submodule("self_attn")
        for name in ("q_proj", "k_proj"):
            linear = attention.get_submodule(name)
            assert isinstance(linear, nn.Linear)
            linear.weight += torch.eye(len(linear.weight))
    segmenter.decoder.layer_norm.weight.fill_(OUTPUT)
