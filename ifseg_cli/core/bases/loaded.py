"""What loading gives: a base or an adapted model, with all that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ifseg_cli.core.bases.base import Network
from ifseg_cli.core.files import sha256
from ifseg_cli.core.recipe import PredictionSettings
from ifseg_cli.core.vocabulary.reader import Reader
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary
from ifseg_cli.core.weights.files import WEIGHTS


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A base or an adapted model."""

    network: Network  # in eval mode; its vocabulary is set if `vocabulary` is not None
    reader: Reader
    vocabulary: Vocabulary | None  # None: a base
    recipe_name: str  # the recipe made for this base
    path: Path  # as it was named: a folder, or a published file
    prediction: PredictionSettings = field(default_factory=PredictionSettings)  # how it predicts unless told otherwise
    weights: Path | None = None  # the weights file, where it is not `path / model.safetensors`
    title: str = ""  # what it is, told from its contents; empty for our own folders
    origin: str = ""  # repository@revision on the model hub, if it came from there

    def weights_sha256(self) -> str:
        """Hex SHA-256 of the weights on disk; reads them."""
        return sha256(self.weights or self.path / WEIGHTS)
