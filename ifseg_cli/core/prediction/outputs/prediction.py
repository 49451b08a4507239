"""The answer for one picture, and the pictures made of it."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file

from ifseg_cli.core.files import atomic, write_atomic
from ifseg_cli.core.images.colour import RGB
from ifseg_cli.core.images.decode import Pixels
from ifseg_cli.core.images.lettering import drawable
from ifseg_cli.core.images.masks import mask_image
from ifseg_cli.core.prediction.outputs.overlay import overlay_with_legend
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary


@dataclass(frozen=True)
class Prediction:
    """The answer for one picture.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, the picture as it was read, upright.
        labels: (H, W) int16, index of the category, -1 where the confidence is below the threshold or the picture is
            transparent.
        confidence: (H, W) float32, probability of the winner, 0..1.
        vocabulary: names, colours and mask values of the categories.
        probabilities: (M, h, w) float32, of every category in every cell of the grid, smoothed, before refinement.
    """

    pixels: Pixels
    labels: NDArray[np.int16]
    confidence: NDArray[np.float32]
    vocabulary: Vocabulary
    probabilities: NDArray[np.float32]

    @property
    def names(self) -> tuple[str, ...]:
        """One name a category, in the order of the labels."""
        return self.vocabulary.names

    @property
    def colours(self) -> tuple[RGB, ...]:
        """One colour a category."""
        return self.vocabulary.colours

    @property
    def mask_values(self) -> tuple[int, ...]:
        """What stands in the mask for each category."""
        return self.vocabulary.mask_values

    def mask(self) -> Image.Image:
        """The label PNG as a picture: mode P with palette, or 16-bit."""
        return mask_image(self.labels, self.mask_values, self.colours, self.vocabulary.ignore_value)

    def confidence_image(self) -> Image.Image:
        """The confidence of every pixel as grey, 0..255 for 0..1."""
        return Image.fromarray(np.rint(self.confidence * 255).astype(np.uint8))

    def overlay(self) -> Image.Image:
        """The photograph under its colours, with a legend."""
        names = drawable(self.names, self.mask_values)
        return overlay_with_legend(self.pixels, self.labels, names, self.colours)

    def _repr_png_(self) -> bytes:
        """What a notebook shows of it: the overlay."""
        written = io.BytesIO()
        self.overlay().save(written, format="PNG")
        return written.getvalue()

    def save(self, path: str | Path) -> None:
        """Write the mask as PNG.

        Raises:
            OutputError: the folder cannot be written to.
        """
        with atomic(Path(path)) as file:
            self.mask().save(file, format="PNG")

    def save_probabilities(self, path: str | Path) -> None:
        """Write what every cell says as safetensors: `probabilities` (M, h, w) float16, and the names as metadata.

        Raises:
            OutputError: the folder cannot be written to.
        """
        height, width = self.labels.shape
        about = {"names": json.dumps(self.names), "height": str(height), "width": str(width)}
        tensors = {"probabilities": self.probabilities.astype(np.float16)}
        write_atomic(Path(path), lambda file: save_file(tensors, file, about))
