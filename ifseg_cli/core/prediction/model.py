"""The door from Python: `load_model(folder).predict(picture)`, the same numbers as the command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import cast, overload

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ifseg_cli.core.bases.folder import load_base, load_model_folder
from ifseg_cli.core.bases.loaded import LoadedModel
from ifseg_cli.core.bases.places import DEFAULTS, LoadOptions
from ifseg_cli.core.device import pick_device
from ifseg_cli.core.errors import ImageError
from ifseg_cli.core.images.decode import Photograph, Pixels, photograph
from ifseg_cli.core.prediction.engine import stages
from ifseg_cli.core.prediction.outputs.prediction import Prediction
from ifseg_cli.core.recipe import PredictionSettings, load_recipe
from ifseg_cli.core.vocabulary.category import Category
from ifseg_cli.core.vocabulary.vocabulary import build_vocabulary

Picture = Path | str | bytes | Image.Image | NDArray[np.uint8]


class Model:
    """An adapted model, ready to predict.

    Attributes:
        network: on `device`, its vocabulary set.
        vocabulary: the categories it was adapted to.
        settings: how it predicts unless told otherwise: the `prediction` section of its recipe.
        device: where it is.
        device_reason: why there.
        path: its folder or file.
        swapped: the categories it was given in place of those it was adapted to, and where they stand; else None.
    """

    def __init__(self, loaded: LoadedModel, device: torch.device, device_reason: str = "") -> None:
        assert loaded.vocabulary is not None  # load_model_folder refuses bases
        self.loaded, self.network, self.vocabulary = loaded, loaded.network, loaded.vocabulary
        self.settings, self.path = loaded.prediction, loaded.path
        self.device, self.device_reason = device, device_reason
        self.swapped: tuple[Sequence[Category], str] | None = None

    @classmethod
    def load(cls, folder: str | Path, device: str = "auto", loading: LoadOptions = DEFAULTS) -> Model:
        """Load what `ifseg adapt` wrote, or a training checkpoint of the published program.

        Raises:
            CheckpointError: the folder is missing, incomplete, or a base without categories.
            DeviceError: the device is not there.
        """
        chosen, reason = pick_device(device)
        return cls(load_model_folder(Path(folder), chosen, loading), chosen, reason)

    @classmethod
    def unadapted(
        cls,
        base: str,
        categories: Sequence[Category],
        source: str,
        device: str = "auto",
        loading: LoadOptions = DEFAULTS,
    ) -> Model:
        """A base as it is, with words: what adaptation starts from.

        Args:
            base: as `ifseg adapt --base` takes it.
            categories: in order.
            source: where they stand.
            device: `auto`, `cpu`, `cuda` or `mps`.
            loading: how it is read.

        Raises:
            CheckpointError: there is no such base, or its files are not right.
            CategoryError: a name it does not know, or that cannot be one.
            DeviceError: the device is not there.
        """
        chosen, reason = pick_device(device)
        loaded = load_base(base, chosen, loading)
        vocabulary = build_vocabulary(categories, loaded.reader, source)
        loaded.network.set_vocabulary(vocabulary.prompt_ids, vocabulary.piece_ids)
        settings = load_recipe(loaded.recipe_name).prediction
        return cls(replace(loaded, vocabulary=vocabulary, prediction=settings), chosen, reason)

    def with_categories(self, categories: Sequence[Category], source: str) -> Model:
        """The same weights with other words, not adapted to them: a category is only its row (open vocabulary).

        Args:
            categories: in order.
            source: where they stand.

        Raises:
            CategoryError: a name the base does not know, or that cannot be one.
        """
        vocabulary = build_vocabulary(categories, self.loaded.reader, source)
        self.network.set_vocabulary(vocabulary.prompt_ids, vocabulary.piece_ids)
        model = Model(replace(self.loaded, vocabulary=vocabulary), self.device, self.device_reason)
        model.swapped = categories, source
        return model

    @cached_property
    def sha256(self) -> str:
        """Hash of its weights; read when first asked for."""
        return self.loaded.weights_sha256()

    @overload
    def predict(self, picture: Picture, settings: PredictionSettings | None = None) -> Prediction: ...
    @overload
    def predict(self, picture: Sequence[Picture], settings: PredictionSettings | None = None) -> list[Prediction]: ...
    def predict(
        self, picture: Picture | Sequence[Picture], settings: PredictionSettings | None = None
    ) -> Prediction | list[Prediction]:
        """Segment a picture, or several.

        Args:
            picture: a path, a file's bytes, an open picture, or (H, W, 3) uint8 RGB or (H, W) uint8 grey pixels; or a
                list of such.
            settings: the model's own if left out.

        Returns:
            The answer, the same as the command writes; of a list, one each.

        Raises:
            ImageError: a picture cannot be read or used.
        """
        if isinstance(picture, (list, tuple)):
            return [self.predict(each, settings) for each in cast(Sequence[Picture], picture)]
        return self._predict(cast(Picture, picture), settings or self.settings)

    def _predict(self, picture: Picture, settings: PredictionSettings) -> Prediction:
        read = _read(picture, settings)
        prepared = stages.prepare(read.pixels, self.network.pictures, settings)
        found = stages.score(self.network, [prepared], settings)
        return stages.finish(read, found, 0, self.vocabulary, settings)


def _read(picture: Picture, settings: PredictionSettings) -> Photograph:
    if isinstance(picture, Image.Image):
        return photograph(picture)
    if isinstance(picture, np.ndarray):
        return Photograph(_checked(picture))
    return stages.read(picture, settings)


def _checked(pixels: NDArray[np.uint8]) -> Pixels:
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ImageError(f"an array of {pixels.dtype} {pixels.shape}", "(H, W, 3) uint8 RGB or (H, W) uint8 grey")
    return pixels
