"""Names of weights files, and JSON beside them; nothing heavy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from ifseg_cli.core.errors import CheckpointError

WEIGHTS = "model.safetensors"
PORT_WEIGHTS = (WEIGHTS, "pytorch_model.bin")  # in this order: safetensors first
MAX_JSON = 64 << 20  # bytes; a settings file or a vocabulary above this is none


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        CheckpointError: it cannot be read, is larger than 64 MB or nested absurdly deep, or holds no object.
    """
    try:
        if path.stat().st_size > MAX_JSON:
            raise CheckpointError(f"{path} has {path.stat().st_size >> 20} MB", f"at most {MAX_JSON >> 20} MB of JSON")
        value = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise CheckpointError(f"{path} is nested too deep", "the settings of a model") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}", remedy="fetch or make it again") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds no JSON object", remedy="fetch or make it again")
    return cast("dict[str, Any]", value)
