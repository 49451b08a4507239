"""The sizes of a model from the shapes of its tensors, and whether the file's settings say the same.

Tensors cannot lie about their shapes; settings are text beside them. Where the two disagree the file is not what
somebody believes it is, and that is an error until `--size-from-weights` says that the tensors are right.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import fields
from math import isqrt
from typing import Any, cast

from ifseg_cli.core.bases.ofa.config import SIZES, BackboneConfig, ModelConfig
from ifseg_cli.core.bases.ofa.keymap import (
    REQUIRED,
    REQUIRED_OF_TRAINING,
    RESNETS,
    SEGMENTATION,
    SETTINGS,
    SETTINGS_OF_TRAINING,
)
from ifseg_cli.core.errors import CheckpointError, shown

Shapes = Mapping[str, tuple[int, ...]]
CELL = 16  # pixels
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CHINESE_TOKENS = 30325  # 21,128 pieces of BERT's Chinese vocabulary, 5 symbols, 8,192 codes, 1,000 bins

# The largest of each size that a file may claim: far above every published model, far below a trap.
MOST_PROMPT = 4096  # letters
TOLD, QUOTES = 2, "'\""  # disagreements named in one message; what stands around text
LIMITS: dict[str, int] = {
    "dim": 8192,
    "ffn_dim": 65536,
    "heads": 256,
    "encoder_layers": 200,
    "decoder_layers": 200,
    "tokens": 4_000_000,
    "grid": 256,
    "image_bucket": 512,
    "token_bucket": 8192,
    "max_text": 65536,
    "short_side": 8192,
    "long_side": 65536,
}


def config_from_weights(shapes: Shapes, settings: Mapping[str, Any], source: str) -> ModelConfig:
    """Read the sizes off the shapes; what no shape tells (grid of a bare OFA, pixels, prompt) is as published.

    Args:
        shapes: entries under our names.
        settings: the file's own, flat; only what no tensor tells is taken from them.
        source: the file, for errors.

    Raises:
        CheckpointError: an entry that tells a size is missing, or has an impossible shape.
    """
    tokens, dim = _shape(shapes, "embed_tokens.weight", 2, source)
    native = _side(shapes, SEGMENTATION, 1, source) if SEGMENTATION in shapes else ModelConfig.grid
    mean, std = IMAGENET if _text(settings, "imagenet_default_mean_and_std") == "true" else ((0.5,) * 3, (0.5,) * 3)
    config = ModelConfig(
        dim=dim,
        ffn_dim=_shape(shapes, "encoder.layers.0.fc1.weight", 2, source)[0],
        heads=_shape(shapes, "encoder.layers.0.self_attn.c_attn", 1, source)[0],
        encoder_layers=_count(shapes, r"encoder\.layers\.(\d+)\."),
        decoder_layers=_count(shapes, r"decoder\.layers\.(\d+)\."),
        tokens=tokens,
        backbone=BackboneConfig(blocks=_blocks(shapes), width=_shape(shapes, "backbone.conv1.weight", 4, source)[0]),
        grid=native,
        image_bucket=_side(shapes, "encoder.embed_image_positions.weight", 1, source),
        token_bucket=(_shape(shapes, "encoder.token_rel_pos_table_list.0.weight", 2, source)[0] + 1) // 2,
        max_text=_shape(shapes, "encoder.embed_positions.weight", 2, source)[0] - 2,
        scale_factor=_number(settings, "attn_scale_factor", ModelConfig.scale_factor, source),
        short_side=_pixels(settings, native) if SEGMENTATION in shapes else native * CELL,
        long_side=4 * native * CELL,
        image_mean=mean,  # pyright: ignore[reportArgumentType] - three of each
        image_std=std,  # pyright: ignore[reportArgumentType]
        prompt=str(settings.get("prompt_prefix") or ModelConfig.prompt),
    )
    require_sane(config, source)
    return config


def require_sane(config: ModelConfig, source: str) -> None:
    """Refuse sizes that no model has.

    Raises:
        CheckpointError: a size is no count, or absurd; or the heads do not divide the width.
    """
    for name, most in LIMITS.items():
        value = getattr(config, name)
        if type(value) is not int or not 1 <= value <= most:
            raise CheckpointError(f"{source}: {name} is {_short(value)}", f"a whole number from 1 to {most}")
    _require_numbers(config, source)
    _require_backbone(config.backbone, config.dim, source)
    blocks = config.backbone.blocks
    if not all(type(each) is int and 1 <= each <= 200 for each in (*blocks, len(blocks))):
        raise CheckpointError(f"{source}: blocks are {_short(blocks)}", "bottlenecks a stage, 1 to 200 each")
    if config.grid > config.image_bucket:
        found = f"{source}: a grid of {config.grid} cells a side, positions for {config.image_bucket}"
        raise CheckpointError(found, "positions for all cells")
    if config.dim % config.heads:
        raise CheckpointError(f"{source}: {config.heads} heads do not divide a width of {config.dim}")


def _require_numbers(config: ModelConfig, source: str) -> None:
    """What is no size: factors, the mean and deviation of pictures, the prompt."""
    if not _is_number(config.scale_factor) or not 0 < config.scale_factor < 1000:
        raise CheckpointError(f"{source}: scale_factor is {_short(config.scale_factor)}", "a number above 0")
    if not _is_number(config.picture) or not 0 <= config.picture <= 1:
        raise CheckpointError(f"{source}: picture is {_short(config.picture)}", "a share, 0 to 1")
    for name, least in (("image_mean", -1e6), ("image_std", 1e-6)):
        value: object = getattr(config, name)
        three = isinstance(value, tuple) and len(cast("tuple[object, ...]", value)) == 3
        if not three or not all(_is_number(each) and least <= each <= 1e6 for each in cast("tuple[float, ...]", value)):
            raise CheckpointError(f"{source}: {name} is {_short(value)}", "three numbers, a deviation above 0")
    if type(config.prompt) is not str or len(config.prompt) > MOST_PROMPT:
        raise CheckpointError(f"{source}: prompt is {_short(config.prompt)}", f"text of at most {MOST_PROMPT} letters")
    if type(config.residual) is not bool:
        raise CheckpointError(f"{source}: residual is {_short(config.residual)}", "true or false")


def _require_backbone(backbone: BackboneConfig, dim: int, source: str) -> None:
    counts = {"width": (1, 4096), "anchors": (0, 1 << 20), "textures": (0, 1 << 12), "captions": (0, 1 << 12)}
    for name, (least, most) in counts.items():
        value = getattr(backbone, name)
        if type(value) is not int or not least <= value <= most:
            raise CheckpointError(f"{source}: backbone {name} is {_short(value)}", f"a whole number, {least} to {most}")
    if backbone.captions > dim - 2:
        raise CheckpointError(f"{source}: {backbone.captions} coordinates of captions in a width of {dim}")
    if type(backbone.kind) is not str or len(backbone.kind) > 100:
        raise CheckpointError(f"{source}: backbone kind is {_short(backbone.kind)}", "the name of one")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _short(value: object) -> str:
    """Foreign text and numbers as a message can hold them."""
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a number of more than 20 digits"
    return shown(repr(value), 60)


def require_agreement(config: ModelConfig, settings: Mapping[str, Any], training: bool, source: str) -> None:
    """Refuse a file whose settings name other sizes than its tensors have.

    Args:
        config: from the tensors.
        settings: of the file.
        training: whether it is a training checkpoint, whose pixels must fit its grid.
        source: the file, for errors.

    Raises:
        CheckpointError: names each setting, what it says and what the tensors are.
    """
    told: list[str] = []
    special = {"blocks": config.backbone.blocks, "native_side": config.grid * CELL}
    for field, names in SETTINGS + (SETTINGS_OF_TRAINING if training else ()):
        found = special[field] if field in special else getattr(config, field)
        for name in names:
            said = settings.get(name)
            meant = RESNETS.get(str(said), said) if field == "blocks" else said
            if said is not None and meant != found:
                detail = f" (blocks {_dashed(meant)})" if isinstance(meant, tuple) else ""
                there = _dashed(found) if isinstance(found, tuple) else found
                told.append(f"{name} {_short(said).strip(QUOTES)}{detail}, the tensors have {there}")
    if told:
        raise CheckpointError(
            f"{source}: its settings say {'; '.join(told[:TOLD])}{' ...' if len(told) > TOLD else ''}",
            "settings and tensors of one model",
            "say --size-from-weights if the tensors are right",
        )


def require_known_kind(settings: Mapping[str, Any], training: bool, source: str) -> None:
    """Refuse a variant of OFA that this program does not have.

    Raises:
        CheckpointError: names the setting.
    """
    for name, wanted in (REQUIRED | (REQUIRED_OF_TRAINING if training else {})).items():
        said = _text(settings, name)
        if said and said != wanted:
            raise CheckpointError(f"{source}: {name} is {settings[name]}", f"{name} {wanted}", "use another file")
    if "resnet_type" in settings and str(settings["resnet_type"]) not in RESNETS:
        raise CheckpointError(f"{source}: resnet_type {settings['resnet_type']}", ", ".join(RESNETS))


def size_name(config: ModelConfig) -> str:
    """`OFA base`, or the sizes themselves where nobody published them; the Chinese dictionary is told."""
    same = [field.name for field in fields(ModelConfig) if field.name.endswith("layers")]
    same += ["dim", "ffn_dim", "heads", "backbone"]
    for name, known in SIZES.items():
        if all(getattr(known, field) == getattr(config, field) for field in same):
            return f"Chinese OFA {name}" if config.tokens == CHINESE_TOKENS else f"OFA {name}"
    layers = f"{config.encoder_layers} + {config.decoder_layers} layers"
    return f"an OFA of width {config.dim}, {layers}, ResNet blocks {_dashed(config.backbone.blocks)}"


def _shape(shapes: Shapes, name: str, dimensions: int, source: str) -> tuple[int, ...]:
    if name not in shapes:
        raise CheckpointError(f"{source} holds no {name}", "an OFA, by fairseq or by its Hugging Face port")
    if len(shapes[name]) != dimensions:
        raise CheckpointError(f"{source}: {name} has the shape {shapes[name]}", f"{dimensions} dimensions")
    return shapes[name]


def _side(shapes: Shapes, name: str, extra: int, source: str) -> int:
    """The side of a square table with some extra rows."""
    rows = _shape(shapes, name, 2, source)[0] - extra
    side = isqrt(max(rows, 0))
    if side * side != rows:
        raise CheckpointError(f"{source}: {name} has {rows + extra} rows", "a square number and one more")
    return side


def _count(shapes: Shapes, pattern: str) -> int:
    """How many numbers stand at the pattern's group: layers that leave gaps are caught when entries are compared."""
    return len({match[1] for name in shapes if (match := re.match(pattern, name))})


def _blocks(shapes: Shapes) -> tuple[int, ...]:
    stages = _count(shapes, r"backbone\.layer(\d+)\.")
    return tuple(_count(shapes, rf"backbone\.layer{stage}\.(\d+)\.") for stage in range(1, stages + 1))


def _text(settings: Mapping[str, Any], name: str) -> str:
    return str(settings.get(name, "")).lower()


def _number(settings: Mapping[str, Any], name: str, otherwise: float, source: str) -> float:
    value = settings.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1000:
        raise CheckpointError(f"{source}: {name} is {value!r}", "a number above 0")
    return float(value)


def _pixels(settings: Mapping[str, Any], native: int) -> int:
    """The short side a training checkpoint reads pictures at."""
    said = settings.get("patch_image_size")
    return said if type(said) is int else native * CELL


def _dashed(blocks: tuple[int, ...]) -> str:
    return "-".join(map(str, blocks))
