"""The door from Python: `load_model(folder).predict(picture)`, the same numbers as the command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ifseg_cli.core.checkpoint.folder import load_model_folder
from ifseg_cli.core.checkpoint.layout import DEFAULTS, LoadOptions
from ifseg_cli.core.device import pick_device
from ifseg_cli.core.errors import ImageError
from ifseg_cli.core.files import atomic
from ifseg_cli.core.model.segmenter import Segmenter
from ifseg_cli.core.prediction.decode import Pixels, decode, upright_rgb
from ifseg_cli.core.prediction.masks import mask_image
from ifseg_cli.core.prediction.overlay import overlay_with_legend
from ifseg_cli.core.prediction.segment import segment
from ifseg_cli.core.prediction.settings import PredictionSettings
from ifseg_cli.core.vocabulary.category import RGB
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary

Picture = Path | str | bytes | Image.Image | NDArray[np.uint8]


@dataclass(frozen=True)
class Prediction:
    """The answer for one picture.

    Attributes:
        pixels: (H, W, 3) uint8 RGB, the picture as it was read, upright.
        labels: (H, W) int16, index of the category, -1 where the confidence is below the threshold.
        confidence: (H, W) float32, probability of the winner, 0..1.
        vocabulary: names, colours and mask values of the categories.
    """

    pixels: Pixels
    labels: NDArray[np.int16]
    confidence: NDArray[np.float32]
    vocabulary: Vocabulary

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

    def overlay(self) -> Image.Image:
        """The photograph under its colours, with a legend."""
        return overlay_with_legend(self.pixels, self.labels, self.names, self.colours)

    def save(self, path: str | Path) -> None:
        """Write the mask as PNG.

        Raises:
            OutputError: the folder cannot be written to.
        """
        with atomic(Path(path)) as file:
            self.mask().save(file, format="PNG")


class Model:
    """An adapted model, ready to predict.

    Attributes:
        vocabulary: the categories it was adapted to.
        segmenter: the network, on `device`.
        device_reason: which device was chosen, and why.
        path: its folder.
        sha256: hash of its weights.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        vocabulary: Vocabulary,
        device: torch.device,
        *,
        path: Path | None = None,
        device_reason: str = "",
        sha256: str = "",
    ) -> None:
        self.segmenter, self.vocabulary, self.device = segmenter, vocabulary, device
        self.path, self.device_reason, self.sha256 = path, device_reason, sha256

    @classmethod
    def load(cls, folder: str | Path, device: str = "auto", loading: LoadOptions = DEFAULTS) -> Model:
        """Load what `ifseg adapt` wrote, or a training checkpoint of the published program.

        Raises:
            CheckpointError: the folder is missing, incomplete, or a base without categories.
            DeviceError: the device is not there.
        """
        chosen, reason = pick_device(device)
        loaded = load_model_folder(Path(folder), chosen, loading)
        assert loaded.vocabulary is not None  # load_model_folder refuses bases
        sha256 = loaded.weights_sha256()
        return cls(loaded.segmenter, loaded.vocabulary, chosen, path=loaded.path, device_reason=reason, sha256=sha256)

    def predict(self, picture: Picture, settings: PredictionSettings | None = None) -> Prediction:
        """Segment one picture.

        Args:
            picture: a path, a file's bytes, an open picture, or (H, W, 3) uint8 RGB or (H, W) uint8 grey pixels.
            settings: the method's own if left out.

        Raises:
            ImageError: the picture cannot be read or used.
        """
        settings = settings or PredictionSettings()
        pixels = _pixels(picture, settings.max_pixels)
        found = segment(self.segmenter, pixels, settings)
        return Prediction(pixels, found.labels, found.confidence, self.vocabulary)


def _pixels(picture: Picture, max_pixels: int) -> Pixels:
    if isinstance(picture, Image.Image):
        return upright_rgb(picture)
    if isinstance(picture, np.ndarray):
        return _checked(picture)
    return decode(picture, max_pixels)


def _checked(pixels: NDArray[np.uint8]) -> Pixels:
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ImageError(f"an array of {pixels.dtype} {pixels.shape}", "(H, W, 3) uint8 RGB or (H, W) uint8 grey")
    return pixels
