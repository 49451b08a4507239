"""Names of weights files, and JSON beside them; nothing heavy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from ifseg_cli.core.errors import CheckpointError
from ifseg_cli.core.files import read_small

WEIGHTS = "model.safetensors"
UPDATE = "update.safetensors"  # in place of the weights: what changes a base
PORT_WEIGHTS = (WEIGHTS, "pytorch_model.bin")  # in this order: safetensors first
MAX_SETTINGS = 1 << 20  # bytes; settings above this are none
MAX_VOCABULARY = 8 << 20  # bytes; of thousands of categories with their ids


def read_json(path: Path, most: int = MAX_SETTINGS) -> dict[str, Any]:
    """A JSON object from a file.

    Args:
        path: a regular file.
        most: bytes.

    Raises:
        CheckpointError: it cannot be read, is no file, larger or nested absurdly deep, or holds no object.
    """
    try:
        value = json.loads(read_small(path, most))
    except RecursionError as error:
        raise CheckpointError(f"{path} is nested too deep", "the settings of a model") from error
    except (OSError, ValueError) as error:
        told = error.strerror if isinstance(error, OSError) else str(error)
        raise CheckpointError(f"{path} cannot be read: {told}", remedy="fetch or make it again") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds no JSON object", remedy="fetch or make it again")
    return cast("dict[str, Any]", value)
