"""What the backbone sees in drawn textures, and the linear discriminant that tells them apart.

Deep features of drawings do not carry over to photographs, those in the middle of the network do; so textures are told
by `Features.mid` (stages with 40, 80 and 112 channels, and colour), with a covariance shrunk far towards the identity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ifseg_cli.core.bases.builtin.efficientnet import EfficientNetLite
from ifseg_cli.scenes.paint import noise
from ifseg_cli.scenes.textures import TEXTURES, Picture, Rng

SCENES = 240
SIDE = 320  # pixels
CELL = 16
MOST_CELLS = 60  # of one scene
SHRINK = 0.8  # share of the identity in the covariance within textures
TEMPERATURE = 10.0  # photographs are further from the drawings than these are from each other


@dataclass(frozen=True)
class Drawn:
    """Features of n cells that show one texture each.

    head: (n, 1280). mid: (n, 235). texture: (n,), an index into `TEXTURES`.
    """

    head: Tensor
    mid: Tensor
    texture: Tensor


def scene(rng: Rng, side: int) -> tuple[Picture, NDArray[np.int64]]:
    """One to four textures in one picture, in bands or in cells around random points.

    Returns:
        The picture (side, side, 3) and each pixel's texture (side, side), an index into `TEXTURES`.
    """
    names = list(TEXTURES)
    count = int(rng.integers(1, 5))
    chosen = rng.choice(len(names), count, replace=False)
    y, x = np.mgrid[:side, :side]
    if rng.random() < 0.5:
        borders = np.sort(rng.uniform(0.15, 0.85, count - 1)) * side
        part = np.digitize(y + 8 * noise(rng, side, 1.5), borders) if count > 1 else np.zeros((side, side), int)
    else:
        points = rng.uniform(0, side, (count, 2))
        part = np.argmin([(y - a) ** 2 + (x - b) ** 2 for a, b in points], axis=0)
    picture = np.zeros((side, side, 3), np.uint8)
    for index, texture in enumerate(chosen):
        drawn = TEXTURES[names[texture]](rng, side)
        picture[part == index] = drawn[part == index]
    return picture, chosen[part]


def draw(backbone: EfficientNetLite, seed: int = 1, scenes: int = SCENES) -> Drawn:
    """Features of cells of drawn scenes; only cells that lie within one texture."""
    rng = np.random.default_rng(seed)
    heads: list[Tensor] = []
    mids: list[Tensor] = []
    textures: list[Tensor] = []
    for _ in range(scenes):
        picture, truth = scene(rng, SIDE)
        image = torch.from_numpy(picture).permute(2, 0, 1)[None] / 127.5 - 1
        features = backbone(image)
        blocks = truth.reshape(SIDE // CELL, CELL, SIDE // CELL, CELL).transpose(0, 2, 1, 3).reshape(-1, CELL * CELL)
        pure = np.flatnonzero((blocks == blocks[:, :1]).all(1))
        taken = torch.from_numpy(rng.choice(pure, min(MOST_CELLS, len(pure)), replace=False))
        heads.append(features.head[0].flatten(1).T[taken])
        mids.append(features.mid[0].flatten(1).T[taken])
        textures.append(torch.from_numpy(blocks[:, 0])[taken])
    return Drawn(torch.cat(heads), torch.cat(mids), torch.cat(textures))


def discriminant(drawn: Drawn) -> tuple[Tensor, Tensor]:
    """Linear discriminant of the textures on `mid`.

    Returns:
        weight (T, 235) and bias (T): softmax of `mid @ weight.T + bias` is the posterior, softened by the temperature.
    """
    x, texture = drawn.mid, drawn.texture
    means = torch.stack([x[texture == t].mean(0) for t in range(len(TEXTURES))])
    scale = x.std(0) + 1e-3
    within = (x - means[texture]) / scale
    covariance = (1 - SHRINK) * within.T @ within / len(x) + SHRINK * torch.eye(x.shape[1])
    directions = (means / scale) @ torch.linalg.inv(covariance)
    bias = -0.5 * (directions * (means / scale)).sum(1)
    return directions / scale / TEMPERATURE, bias / TEMPERATURE
