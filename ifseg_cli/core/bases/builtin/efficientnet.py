"""EfficientNet-Lite0 as a dense feature extractor at stride 16: the backbone of the built-in base.

What differs from the published classifier (Tan and Le 2019; Lite0 of the TensorFlow TPU repository):

- its last stage with a stride keeps the grid and dilates what follows, so a cell is 16 pixels, as in OFA's ResNet;
- batch norms are folded into the convolutions: one multiply-add, half the tensors, nothing left to train;
- a stride's padding does not depend on whether a side is even: the same pixel always falls on the same cell, and the
  last stride is shifted by half a cell, so that a cell's features are centred on its own 16 x 16 pixels. (The
  published padding centres them on the cell's lower right corner: half a cell off in the finished mask.)
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

HEAD_CHANNELS = 1280
MID_STAGES = (2, 3, 4)  # stages whose outputs (40, 80, 112 channels) describe texture
MID_CHANNELS = 40 + 80 + 112 + 3  # and the mean colour

# One line a stage: blocks, kernel, stride, dilation of the first block, of the others, expansion, channels.
# The published sixth stage has stride 2; here it is 1, and the 3x3 or 5x5 that follow are dilated by 2.
STAGES = (
    (1, 3, 1, 1, 1, 1, 16),
    (2, 3, 2, 1, 1, 6, 24),
    (2, 5, 2, 1, 1, 6, 40),
    (3, 3, 2, 1, 1, 6, 80),
    (3, 5, 1, 1, 1, 6, 112),
    (4, 5, 1, 1, 2, 6, 192),
    (1, 3, 1, 2, 2, 6, 320),
)
LAST_STRIDE_STAGE = 3


class Features(NamedTuple):
    """What the backbone sees, a cell for each 16 x 16 pixels.

    head: (B, 1280, h, w), the classifier's last features, each the mean of its 3 x 3 neighbourhood.
    mid: (B, 235, h, w), outputs of the stages with 40, 80 and 112 channels, and RGB in -1..1: what tells textures.
    """

    head: Tensor
    mid: Tensor

    @property
    def similarity(self) -> Tensor:
        """(B, N, 232), N = h * w row-major: what smoothing compares; `mid` without colour, 3 x 3 means."""
        return mean3(self.mid[:, :-3]).flatten(2).transpose(1, 2)


def mean3(maps: Tensor) -> Tensor:
    """Mean over 3 x 3 cells, over fewer at the border. (B, C, h, w) -> (B, C, h, w)."""
    return F.avg_pool2d(maps, 3, stride=1, padding=1, count_include_pad=False)


class SameConv(nn.Conv2d):
    """A convolution (with its folded batch norm) that gives ceil(side / stride) cells for every side.

    Args:
        shifted: pad before rather than after, which moves what a cell sees by one input cell up and left.
    """

    def __init__(
        self,
        channels_in: int,
        channels: int,
        kernel: int = 1,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        shifted: bool = False,
    ) -> None:
        super().__init__(channels_in, channels, kernel, stride=stride, dilation=dilation, groups=groups)
        self.before = dilation * (kernel - 1) // 2 if stride == 1 or shifted else kernel // 2 - 1

    def _pad(self, side: int) -> tuple[int, int]:
        kernel, stride, dilation = self.kernel_size[0], self.stride[0], self.dilation[0]
        total = (-(-side // stride) - 1) * stride + dilation * (kernel - 1) + 1 - side
        return self.before, total - self.before

    def forward(self, input: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, ceil(H / stride), ceil(W / stride))."""
        if self.kernel_size[0] > 1:
            input = F.pad(input, self._pad(input.shape[-1]) + self._pad(input.shape[-2]))
        return super().forward(input)


class Block(nn.Module):
    """An inverted bottleneck (MobileNet v2): expand, look around channel by channel, project; ReLU6 between."""

    def __init__(
        self, channels_in: int, channels: int, kernel: int, stride: int, dilation: int, expansion: int, shifted: bool
    ) -> None:
        super().__init__()
        width = channels_in * expansion
        self.expand = SameConv(channels_in, width) if expansion > 1 else None
        self.depthwise = SameConv(width, width, kernel, stride, dilation, groups=width, shifted=shifted)
        self.project = SameConv(width, channels)
        self.residual = False  # the first block of a stage has none; `EfficientNetLite` switches on the others'

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, h, w) -> (B, out, h', w')."""
        inner = F.relu6(self.expand(x), inplace=True) if self.expand is not None else x
        inner = self.project(F.relu6(self.depthwise(inner), inplace=True))
        return inner.add_(x) if self.residual else inner


class EfficientNetLite(nn.Module):
    """Frozen EfficientNet-Lite0. Weights come from `load_state_dict`; fresh ones are random."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv(3, 32, 3, stride=2)
        self.blocks = nn.ModuleList()
        self.ends: list[int] = []  # index of each stage's last block
        channels_in = 32
        for index, (count, kernel, stride, first, others, expansion, channels) in enumerate(STAGES):
            for number in range(count):
                dilation, step = (others, 1) if number else (first, stride)
                shifted = index == LAST_STRIDE_STAGE and number == 0
                block = Block(channels_in, channels, kernel, step, dilation, expansion, shifted)
                block.residual = number > 0
                self.blocks.append(block)
                channels_in = channels
            self.ends.append(len(self.blocks) - 1)
        self.head = SameConv(channels_in, HEAD_CHANNELS)
        self.requires_grad_(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Features:
        """Features of pictures.

        Args:
            images: (B, 3, H, W) RGB in -1..1 (x / 255, mean and deviation 0.5), any H and W from 1 on.

        Returns:
            Features on a grid of ceil(H / 16) x ceil(W / 16) cells.
        """
        # Channels side by side in memory: 1.6 times as fast on a CPU (the convolutions are mostly channel by channel).
        x = F.relu6(self.stem(images.contiguous(memory_format=torch.channels_last)), inplace=True)
        kept: list[Tensor] = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in (self.ends[stage] for stage in MID_STAGES):
                kept.append(x)
        head = mean3(F.relu6(self.head(x), inplace=True))
        # Stride 8 to 16: the 3 x 3 around the position on the cell's centre. It gives ceil(side / 2), as the others.
        kept[0] = F.avg_pool2d(kept[0], 3, stride=2, padding=1, count_include_pad=False)
        colour = F.avg_pool2d(images, 16, ceil_mode=True)
        return Features(head, torch.cat([*kept, colour], dim=1))
