"""ResNet without its last stage, as OFA's image encoder: stride 16, every batch norm frozen.

Differences from the textbook: version 1.5 (the stride of a bottleneck sits in its 3x3 convolution), no classifier, and
batch norm is an affine map with stored statistics (eps 1e-5) that never learns. Sides round up: 769 px give 49 cells.
Parameter names are the published ones (`conv1`, `bn1`, `layer1.0.conv1`, `layer1.0.downsample.0`, ...).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ifseg_cli.core.bases.base import Seen

EXPANSION = 4  # a bottleneck's output is so many times its width


class FrozenBatchNorm(nn.Module):
    """Batch norm by stored statistics: four buffers, no gradient."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, h, w) to the same shape."""
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps)


class Bottleneck(nn.Module):
    """1x1, 3x3 (with the stride), 1x1, each with batch norm; residual."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * EXPANSION
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = FrozenBatchNorm(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = FrozenBatchNorm(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = FrozenBatchNorm(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), FrozenBatchNorm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, h, w) -> (B, 4 * width, h / stride, w / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        return F.relu(self.bn3(self.conv3(x)) + shortcut)


class ResNet(nn.Module):
    """Stem and stages up to stride 16 (three stages in every OFA).

    Args:
        blocks: bottlenecks in each stage; the first stage keeps the stem's stride 4, each later one halves the grid.
        width: channels of the stem and of the first stage before expansion.
    """

    def __init__(self, blocks: Sequence[int] = (3, 4, 23), width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = FrozenBatchNorm(width)
        self.stages: list[str] = []
        inputs = width
        for index, count in enumerate(blocks):
            stage_width = width * 2**index
            stage: list[nn.Module] = []
            for block in range(count):
                stride = 2 if index > 0 and block == 0 else 1
                stage.append(Bottleneck(inputs, stage_width, stride))
                inputs = stage_width * EXPANSION
            self.stages.append(f"layer{index + 1}")
            self.add_module(self.stages[-1], nn.Sequential(*stage))
        self.channels = inputs

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images (B, 3, H, W) -> features (B, channels, ceil(H / 16), ceil(W / 16))."""
        x = F.relu(self.bn1(self.conv1(images)))
        x = F.max_pool2d(x, 3, 2, 1)
        for stage in self.stages:
            x = self.get_submodule(stage)(x)
        return x


class LinearProjection(nn.Linear):
    """OFA's `image_proj`: one linear map from the ResNet's channels to d."""

    def forward(self, features: Tensor) -> Seen:  # pyright: ignore[reportIncompatibleMethodOverride]
        """(B, C, h, w) -> Seen; smoothing compares the features themselves."""
        grid = (features.shape[2], features.shape[3])
        flat = features.flatten(2).transpose(1, 2)  # (B, N, C)
        return Seen(super().forward(flat), flat, grid)
