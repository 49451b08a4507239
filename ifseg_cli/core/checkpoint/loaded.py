"""What loading gives: a base or an adapted model, with all that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ifseg_cli.core.checkpoint.layout import WEIGHTS
from ifseg_cli.core.files import sha256
from ifseg_cli.core.model.segmenter import Segmenter
from ifseg_cli.core.tokenizer import Tokenizer
from ifseg_cli.core.vocabulary.known import KnownWords
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary


@dataclass(frozen=True)
class LoadedModel:
    """A base or an adapted model."""

    segmenter: Segmenter  # in eval mode; its vocabulary is set if `vocabulary` is not None
    tokenizer: Tokenizer
    vocabulary: Vocabulary | None  # None: a base
    known: KnownWords | None  # None: the base reads any word
    recipe_name: str  # the recipe made for this base
    path: Path  # as it was named: a folder, or a published file
    weights: Path | None = None  # the weights file, where it is not `path / model.safetensors`
    title: str = ""  # what it is, told from its contents; empty for our own folders
    origin: str = ""  # repository@revision on the model hub, if it came from there
    half: bool = False  # save it in half precision, whatever that loses

    def weights_sha256(self) -> str:
        """Hex SHA-256 of the weights on disk."""
        return sha256(self.weights or self.path / WEIGHTS)
