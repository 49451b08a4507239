"""From a text file of categories to masks on a folder of images, without one training image or mask.

The five commands from Python, each with the result of the command of its name, and a model to call:

    from ifseg_cli import vocab, synth, adapt, predict, evaluate, load_model
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ifseg_cli.core.adaptation.preview import synth
    from ifseg_cli.core.adaptation.run import adapt
    from ifseg_cli.core.bases.vocab import vocab
    from ifseg_cli.core.evaluation.run import evaluate
    from ifseg_cli.core.prediction.model import Model
    from ifseg_cli.core.prediction.run import predict

__version__ = "0.1.0"
__all__ = ["__version__", "adapt", "evaluate", "load_model", "predict", "synth", "vocab"]

# Found when first asked for, so that importing the package imports nothing heavy.
_PLACES = {
    "vocab": "ifseg_cli.core.bases.vocab",
    "synth": "ifseg_cli.core.adaptation.preview",
    "adapt": "ifseg_cli.core.adaptation.run",
    "predict": "ifseg_cli.core.prediction.run",
    "evaluate": "ifseg_cli.core.evaluation.run",
}


def __getattr__(name: str) -> object:
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_model(folder: str | Path = "ifseg-model", device: str = "auto") -> Model:
    """Load an adapted model folder, as `ifseg predict --model` does.

    Args:
        folder: what `ifseg adapt` wrote.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Returns:
        A model whose `predict` takes a picture and gives a label map.

    Raises:
        CheckpointError: the folder is missing, incomplete or not a model.
    """
    from ifseg_cli.core.prediction.model import Model

    return Model.load(folder, device)
