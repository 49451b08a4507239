"""What light and a camera do to a finished picture: cast, shadow, exposure, vignette, blur, noise. Labels stay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ifseg_cli.scenes.textures import Rng


def take(picture: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """A photograph of the scene. (H, W, 3) bytes -> the same."""
    light = _blur(picture, rng).astype(np.float32)
    light *= np.exp(rng.normal(size=3) * rng.uniform(0.02, 0.09)).astype(np.float32) / 255  # cast of the light
    exposure = np.float32(np.exp(rng.normal() * 0.22))
    light *= (_falloff(rng, picture.shape[0], picture.shape[1]) * exposure)[..., None]
    if rng.random() < 0.2:  # mist, or a dirty lens
        veil = np.float32(rng.uniform(0.05, 0.35))
        light *= 1 - veil
        light += veil * np.float32(rng.uniform(0.5, 0.85))
    np.clip(light, 1e-4, 1, out=light)
    np.power(light, np.float32(np.exp(rng.normal() * 0.18)), out=light)  # contrast of the film
    colourful = np.float32(rng.uniform(0.55, 1.2))
    light = colourful * light + (light @ np.full(3, (1 - colourful) / 3, np.float32))[..., None]
    light *= 255
    grain = rng.standard_normal(light.shape[:2], dtype=np.float32) * np.float32(rng.uniform(0, 13))
    light += grain[..., None] * (1 + rng.normal(size=3) * 0.4).astype(np.float32)  # noise, of a hue
    return np.clip(light, 0, 255, out=light).astype(np.uint8)


def _blur(picture: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    radius = float(rng.uniform(0.3, 0.8) if rng.random() < 0.7 else rng.uniform(0.8, 2.0))
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius)))


def _falloff(rng: Rng, height: int, width: int) -> NDArray[np.float32]:
    """Light that is not the same everywhere: a slope, darker corners, at times the edge of a cast shadow. (H, W)"""
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    slope = rng.normal(size=2).astype(np.float32) * np.float32(0.12)
    light = 1 + slope[0] * x + slope[1] * y - np.float32(rng.uniform(0, 0.25)) * (x * x + y * y)
    if rng.random() < 0.35:
        turn, at = rng.uniform(0, 2 * np.pi), np.float32(rng.uniform(-0.6, 0.6))
        soft = np.float32(rng.uniform(3, 40))
        across = np.float32(np.cos(turn)) * x + np.float32(np.sin(turn)) * y - at
        light = light * (1 - np.float32(rng.uniform(0.25, 0.6)) / (1 + np.exp(np.clip(-soft * across, -50, 50))))
    return np.maximum(light, np.float32(0.1))
