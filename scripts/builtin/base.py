"""The base as a model: the space of words and patches, with an encoder and a decoder in OFA's form on top."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ifseg_cli.core.bases.builtin.network import BuiltinNetwork
from ifseg_cli.core.bases.folder import LoadedModel
from ifseg_cli.core.bases.ofa.config import BackboneConfig, ModelConfig
from ifseg_cli.core.bases.ofa.initialise import initialise
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.vocabulary.known import KnownWords
from ifseg_cli.core.vocabulary.reader import Reader
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer

GRID = 10  # native grid: what half a minute of adaptation on two cores can afford
SHORT_SIDE = 448  # of pictures: 28 cells; better on scenes than 320 or 512
HEAD_WIDTH, FFN = 64, 512
LAYERS = 2
RECIPE = "quick"
# Of what the decoder adds to all cells of a picture alike, this share is kept: where all pictures are of one kind
# (streets), it is one preference of names for all of them. Chosen on labelled photographs (docs/log.md).
PICTURE = 0.4
OUTPUT = 0.15  # of the decoder's last norm: its scores begin with a deviation of about 0.3
QUIET, MIXED, ALIKE = 0.2, 0.2, 1.5  # of the hand-made start, below


def fresh(work: Path, captions: bool = False) -> LoadedModel:
    """The space of `work` with an untrained encoder and decoder.

    Args:
        work: the work folder.
        captions: with the coordinates that the stage `captions` learnt.
    """
    folder = work / "space"
    tensors = load_file(folder / "space.safetensors")
    if captions:
        tensors = _with_captions(tensors, load_file(work / "captions" / "captions.safetensors"))
    dim = tensors["embed_tokens.weight"].shape[1]
    config = ModelConfig(
        dim=dim,
        ffn_dim=FFN,
        heads=dim // HEAD_WIDTH,
        encoder_layers=LAYERS,
        decoder_layers=LAYERS,
        tokens=len(tensors["embed_tokens.weight"]),
        backbone=BackboneConfig(
            kind="efficientnet-lite",
            anchors=len(tensors["image_proj.membership"]),
            textures=len(tensors["image_proj.texture_bias"]),
            captions=len(tensors["image_proj.caption_bias"]) if captions else 0,
        ),
        grid=GRID,
        residual=True,
        picture=PICTURE,
        short_side=SHORT_SIDE,
    )
    torch.manual_seed(0)
    segmenter = BuiltinNetwork(config)
    segmenter.load_state_dict(
        {name: each.float() for name, each in tensors.items() if each.is_floating_point()}, strict=False
    )
    for name in ("anchor_texture", "membership"):
        segmenter.image_proj.get_buffer(name).copy_(tensors[f"image_proj.{name}"])
    _begin_by_hand(segmenter)
    known = KnownWords.read(folder / "words.json")
    reader = Reader(Tokenizer.load(folder), config.prompt, config.max_text, known)
    return LoadedModel(segmenter.eval(), reader, None, RECIPE, folder)


def _with_captions(tensors: dict[str, Tensor], told: dict[str, Tensor]) -> dict[str, Tensor]:
    """The space with more coordinates, before the last."""
    rows = tensors["embed_tokens.weight"]
    widened = torch.cat([rows[:, :-1], told["rows"].to(rows), rows[:, -1:]], dim=1)
    coordinates = {f"image_proj.{name}": told[name] for name in ("caption_weight", "caption_bias")}
    return tensors | coordinates | {"embed_tokens.weight": widened}


@torch.no_grad()
def _begin_by_hand(segmenter: Segmenter) -> None:
    """Weights before the first step: the decoder reads the mean of the picture, and what is alike.

    - Queries and keys of the encoder are the identity: a word attends to cells like it, a cell to its word and to cells
      like itself, before anything is learnt. What it adds is small.
    - Cross attention hands on what it reads nearly as it is. The first layer's looks at all cells alike; the last
      one's queries and keys lean to the identity: a cell reads cells like itself.
    - The decoder's last norm is small: scores are nearly the plain scores. (At 0 next to nothing is learnt in 600
      steps: what is below gets gradients only through it.)
    """
    for stack in (segmenter.encoder, segmenter.decoder):
        initialise(stack)
    identity = torch.eye(segmenter.config.dim)
    for layer in segmenter.encoder.layers:
        for name in ("q_proj", "k_proj"):
            _weight(layer, f"self_attn.{name}").add_(identity)
        _weight(layer, "attn_ln").fill_(QUIET)
    for number, layer in enumerate(segmenter.decoder.layers):
        _weight(layer, "self_attn_ln").fill_(QUIET)
        for name in ("v_proj", "out_proj"):
            _weight(layer, f"encoder_attn.{name}").mul_(MIXED).add_(identity)
        for name in ("q_proj", "k_proj"):
            weight = _weight(layer, f"encoder_attn.{name}")
            weight.mul_(0.1) if number == 0 else weight.add_(ALIKE * identity)
        _weight(layer, "cross_attn_ln").fill_(1.0 if number == 0 else 0.5)
    segmenter.decoder.layer_norm.weight.fill_(OUTPUT)


def _weight(layer: nn.Module, name: str) -> Tensor:
    return layer.get_parameter(f"{name}.weight")
