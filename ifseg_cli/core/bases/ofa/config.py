"""The sizes of a model: one frozen dataclass, every field explained on its line."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, cast

PROMPT = "what is the segmentation map of the image? object:"


@dataclass(frozen=True)
class BackboneConfig:
    """What turns pixels into a grid of features at stride 16."""

    kind: str = "resnet"  # "resnet" (OFA's), or "efficientnet-lite" (the built-in base's)
    blocks: tuple[int, ...] = (3, 4, 23)  # bottlenecks a stage (resnet); ignored by efficientnet-lite
    width: int = 64  # channels of the first stage before its expansion by 4 (resnet)
    anchors: int = 0  # words of the projection from class evidence (efficientnet-lite)
    textures: int = 0  # drawn textures its projection knows (efficientnet-lite)
    captions: int = 0  # coordinates of its cells that captions taught (efficientnet-lite)

    @property
    def channels(self) -> int:
        """Channels of the features that smoothing compares and `image_proj` reads (resnet)."""
        return self.width * 4 * 2 ** (len(self.blocks) - 1)


@dataclass(frozen=True)
class ModelConfig:
    """The shape of an OFA model and of the pictures it reads."""

    dim: int = 768  # d, width of every token and cell
    ffn_dim: int = 3072  # width inside the feed-forward blocks
    heads: int = 12  # attention heads, encoder and decoder
    encoder_layers: int = 6
    decoder_layers: int = 6
    tokens: int = 59457  # rows of the token embedding
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    grid: int = 32  # side of the native grid: position tables are read straight there
    image_bucket: int = 42  # side of the encoder's table of cell positions
    token_bucket: int = 256  # distances the text's relative table tells apart, both ways
    max_text: int = 1024  # prompt tokens that the position tables hold
    scale_factor: float = 2.0  # attention scale (factor * d / heads) ** -0.5
    residual: bool = False  # add the plain score of cells and rows to the decoder's (the built-in base)
    picture: float = 1.0  # share that is kept of what the decoder adds to all cells of a picture alike
    short_side: int = 512  # pixels, the size pictures are brought to
    long_side: int = 2048  # pixels, at most
    image_mean: tuple[float, float, float] = (0.5, 0.5, 0.5)  # of x / 255, RGB
    image_std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    prompt: str = PROMPT

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.dim // self.heads

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary, as `config.json` holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: object) -> ModelConfig:
        """The inverse of `to_json`.

        Raises:
            ValueError: a key that is none of a model's, or no object where one should be.
        """
        no_object: dict[str, Any] = {"backbone": None}
        values = dict(cast("dict[str, Any]", told)) if isinstance(told, dict) else no_object
        backbone: Any = values.pop("backbone", {})
        if not isinstance(backbone, dict):
            raise ValueError("no object of sizes")
        backbone = dict(cast("dict[str, Any]", backbone))
        for kind, given in ((cls, values), (BackboneConfig, backbone)):
            strange = sorted(given.keys() - {each.name for each in fields(kind)})
            if strange:
                raise ValueError(f"{strange[0][:60]!r} is no size of a model")
        if "blocks" in backbone:
            backbone["blocks"] = tuple(backbone["blocks"])
        for key in ("image_mean", "image_std"):
            if key in values:
                values[key] = tuple(values[key])
        return cls(backbone=BackboneConfig(**backbone), **values)


def _size(dim: int, ffn: int, heads: int, layers: tuple[int, int], blocks: tuple[int, int, int]) -> ModelConfig:
    return replace(
        ModelConfig(),
        dim=dim,
        ffn_dim=ffn,
        heads=heads,
        encoder_layers=layers[0],
        decoder_layers=layers[1],
        backbone=BackboneConfig(blocks=blocks),
    )


# The published sizes of OFA (paper of OFA, table 1; the ResNets without their last stage).
SIZES: dict[str, ModelConfig] = {
    "tiny": _size(256, 1024, 4, (4, 4), (3, 4, 6)),
    "medium": _size(512, 2048, 8, (4, 4), (3, 4, 23)),
    "base": _size(768, 3072, 12, (6, 6), (3, 4, 23)),
    "large": _size(1024, 4096, 16, (12, 12), (3, 8, 36)),
    "huge": _size(1280, 5120, 16, (24, 12), (3, 8, 36)),
}
