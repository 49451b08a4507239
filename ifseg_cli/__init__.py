"""From a text file of categories to masks on a folder of images, without one training image or mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ifseg_cli.core.prediction.model import Model

__version__ = "0.1.0"
__all__ = ["__version__", "load_model"]


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
