"""What a recipe may say. Every default is the published program's; `recipes/default.yaml` says the same in full.

- Closed: a key nobody knows is an error, never ignored.
- Strict: text is not a number, `5.0` is not a count, `inf` and `nan` are nothing.
- Frozen: a run never changes its own recipe.
- What depends on the base (its native grid, its short side) is `None` here and filled in when the base is known.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

Momentum = Annotated[float, Field(ge=0, lt=1)]
Scale = Annotated[float, Field(ge=0.1, le=10)]  # times the short side
SCALES = 10  # of one picture
WHOLE = 1024  # pixels of a short side seen at once: 4,096 cells of a square; memory grows with their square


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Synthesis(_Closed):
    """How artificial images are drawn (method, section 3)."""

    max_side: int | None = Field(
        default=None, ge=1, le=1024, description="S: sides are drawn from 1..S, in cells; null: the grid's side"
    )
    layout: Literal["grid", "regions"] = Field(
        default="grid", description="grid: the published random grids; regions: blobs with borders of any shape"
    )
    cells: Literal["rows", "evidence"] = Field(
        default="rows", description="rows: bare category rows, as published; evidence: with the built-in base's noise"
    )
    max_categories: int | None = Field(
        default=None, ge=1, description="different categories in one artificial image, at most; null: all"
    )
    heights: float = Field(
        default=0.0,
        ge=0,
        le=20,
        description="how strongly regions keep to their words' usual height: sky above, road below; 0: not at all",
    )


class Optimiser(_Closed):
    """Adam with decoupled weight decay, as published (method, section 5)."""

    steps: int = Field(default=2000, ge=1, le=10_000_000, description="updates in all")
    batch_size: int = Field(default=16, ge=1, le=4096, description="artificial images an update")
    learning_rate: float = Field(default=5e-5, gt=0, le=1, description="at its highest")
    schedule: Literal["cosine", "constant"] = Field(default="cosine", description="cosine falls to 0 at the last step")
    warmup_steps: int = Field(default=0, ge=0, description="updates over which the rate rises from 0; under `steps`")
    weight_decay: float = Field(default=0.1, ge=0, le=1, description="decoupled, on every trained tensor")
    betas: tuple[Momentum, Momentum] = Field(default=(0.9, 0.999), description="decay of the two moments")
    eps: float = Field(default=1e-8, gt=0, le=1, description="added to the root of the second moment")
    clip_norm: float = Field(default=1.0, gt=0, description="the gradient's norm, at most")

    @field_validator("warmup_steps")
    @classmethod
    def _ends_before_the_run(cls, value: int, info: ValidationInfo) -> int:
        steps = info.data.get("steps")
        if value and steps is not None and value >= steps:
            raise ValueError(f"less than optimiser.steps, {steps}")
        return value


class Regularisation(_Closed):
    """Noise inside the transformer while it is trained."""

    dropout: float = Field(default=0.1, ge=0, lt=1, description="share of activations dropped")
    drop_path: float = Field(default=0.1, ge=0, lt=1, description="share of samples that skip the deepest layer")


class PredictionSettings(_Closed):
    """What `ifseg predict` does with the adapted model unless told otherwise (method, section 6)."""

    presence: float = Field(
        default=0.0,
        ge=0,
        le=10,
        description="weight of how strongly a name stands out anywhere in the picture; 0: none",
    )
    smoothing_iterations: int = Field(default=25, ge=0, le=10_000, description="rounds of smoothing; 0: none")
    neighbours: int = Field(default=3, ge=1, le=100, description="K: cells averaged, the cell itself among them")
    spare_small: bool = Field(
        default=False, description="small regions that are sure of themselves are not smoothed; false: as published"
    )
    refine: Literal["none", "pamr", "guided", "crf"] = Field(
        default="none", description="what moves borders to the picture's edges; crf needs ifseg[crf]"
    )
    threshold: float = Field(default=0.0, ge=0, le=1, description="pixels less confident than this are marked ignore")
    mode: Literal["whole", "slide"] = Field(
        default="whole", description="whole: a picture is seen at once; slide: in windows of the base's own size"
    )
    short_side: int | None = Field(
        default=None, ge=16, le=16384, description="pixels of the short side that the model sees; null: the base's own"
    )
    scales: tuple[Scale, ...] = Field(default=(1.0,), description="a picture is seen at each, the answers averaged")
    flip: bool = Field(default=False, description="seen in the mirror too, the answers averaged")
    keep_transparent: bool = Field(
        default=False, description="label transparent pixels too, as if on white; false: they are marked ignore"
    )
    accept_truncated: bool = Field(default=False, description="use pictures that are cut off as far as they go")
    overlay: bool = Field(default=True, description="overlays, thumbnails and the page beside the masks")
    save_confidence: bool = Field(default=False, description="every pixel's confidence as a grey PNG, beside the masks")
    save_probabilities: bool = Field(
        default=False, description="every category's probability in every cell, as safetensors, beside the masks"
    )
    export: tuple[Literal["coco", "cvat", "mmseg", "labelme", "polygons"], ...] = Field(
        default=(), description="the masks once more as other tools read them; polygons needs ifseg[polygons]"
    )
    max_pixels: int | None = Field(
        default=None, ge=1, description="pictures with more pixels are refused; null: 179 million"
    )

    @field_validator("short_side")
    @classmethod
    def _is_seen_at_once(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and value > WHOLE and info.data.get("mode") != "slide":
            raise ValueError(f"at most {WHOLE}; larger ones go with mode: slide")
        return value

    @field_validator("scales")
    @classmethod
    def _are_some(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not 1 <= len(value) <= SCALES:
            raise ValueError(f"a list of 1 to {SCALES} numbers")
        return value


class Plan(_Closed):
    """How an update is made; with dropout off it changes no result. `ifseg adapt --memory` fills in what is null."""

    micro_batch: int | None = Field(
        default=None, ge=1, description="samples that go through at once; null: as many as fit into memory"
    )
    recompute: Literal["none", "attention", "layers"] | None = Field(
        default=None, description="made twice rather than kept: slower, smaller; null: as little as memory allows"
    )
    precision: Literal["fp32", "bf16"] | None = Field(
        default=None, description="of matrix products; weights and loss are fp32; null: bf16 on a CUDA GPU, else fp32"
    )


class Saving(_Closed):
    """How often a run writes."""

    checkpoint_every: int = Field(default=100, ge=1, description="updates between checkpoints")
    look_every: int = Field(
        default=250, ge=0, description="updates between looks at artificial images that are not trained on; 0: none"
    )
    log_every: int = Field(default=10, ge=1, description="updates between lines of train.jsonl")


class Recipe(_Closed):
    """All settings of one adaptation."""

    description: str = Field(default="", description="one line for people")
    synthesis: Synthesis = Field(default=Synthesis(), description="artificial images")
    grid: int | None = Field(default=None, ge=1, le=256, description="cells a side; null: the base's native grid")
    target_size: int | None = Field(
        default=None, ge=1, le=4096, description="pixels a side of the labels; null: the base's short side"
    )
    optimiser: Optimiser = Field(default=Optimiser(), description="updates")
    regularisation: Regularisation = Field(default=Regularisation(), description="noise in training")
    train: Literal["all", "decoder", "positions", "low_rank"] = Field(
        default="all",
        description="all: encoder and decoder, as published; decoder: it alone; positions: position maps and tables; "
        "low_rank: low-rank updates of all layers",
    )
    rank: int = Field(default=8, ge=1, le=256, description="of low-rank updates, where those are trained")
    prediction: PredictionSettings = Field(default=PredictionSettings(), description="defaults of `ifseg predict`")
    plan: Plan = Field(default=Plan(), description="how an update is made")
    saving: Saving = Field(default=Saving(), description="checkpoints and log")
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="of every random draw in the run")

    def to_yaml(self) -> str:
        """The recipe in full, each key with its meaning on its line; `load_recipe` of it gives an equal recipe."""
        return "\n".join(_lines(self, indent="")) + "\n"


def _lines(model: BaseModel, indent: str) -> list[str]:
    lines: list[str] = []
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            lines += [f"{indent}{name}:  # {info.description}", *_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {_scalar(value)}  # {info.description}")
    return lines


def _scalar(value: object) -> str:
    """One value on one line; text that is no plain word is quoted, so that it comes back as it was."""
    if isinstance(value, tuple):
        items: tuple[Any, ...] = value
        return "[" + ", ".join(_scalar(item) for item in items) + "]"
    style = '"' if isinstance(value, str) and not value.isidentifier() else None
    text = yaml.safe_dump(value, default_style=style, width=float("inf"), allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
