"""A weights file, whoever wrote it -> its tensors and its settings. What it is, is told by its contents.

fairseq             {"model": tensors, "cfg" or "args": settings, ...}
the port            tensors alone; its settings lie in config.json beside it
safetensors         the same, in the other container
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ifseg_cli.core.errors import CheckpointError
from ifseg_cli.core.files import readable_path
from ifseg_cli.core.weights.files import read_json
from ifseg_cli.core.weights.unpickling import AGAIN, Inert, first_bytes, read_torch

FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
MAX_HEADER = 8 << 20  # bytes of a safetensors header; a thousand tensors take a tenth of a megabyte
PARTS = ("task", "model")  # of fairseq's settings; the model's own win


@dataclass(frozen=True)
class Contents:
    """What a weights file holds."""

    tensors: dict[str, Tensor]  # under the file's own names
    settings: dict[str, Any]  # flat: name -> number, text, truth value; empty if there are none
    layout: str  # "fairseq" or "Hugging Face", for people


def read_contents(path: Path) -> Contents:
    """Read a published weights file, in any container.

    Raises:
        CheckpointError: it cannot be read, or holds no weights.
    """
    if is_safetensors(path):
        return _of_port(read_weights(path), path)
    found = read_torch(path)
    if not isinstance(found, dict):
        raise CheckpointError(f"{path} holds a {type(found).__name__}", "a dictionary of tensors", AGAIN)
    values = cast("dict[Any, Any]", found)
    if isinstance(values.get("model"), dict):
        return Contents(_tensors(values["model"], path), _settings_of(values), "fairseq")
    return _of_port(_tensors(values, path), path)


def is_safetensors(path: Path) -> bool:
    """Whether a file begins like one: the length of a header, then a JSON object."""
    head = first_bytes(path)[:9]
    return len(head) == 9 and head[8:] == b"{" and int.from_bytes(head[:8], "little") < 1 << 32


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file, memory-mapped.

    Raises:
        CheckpointError: it is not one, or is cut short.
    """
    length = int.from_bytes(first_bytes(path)[:8], "little")
    if length > MAX_HEADER:
        found = f"{path} has a header of {length:,} bytes"
        raise CheckpointError(found, f"at most {MAX_HEADER:,} in a safetensors file", "fetch or make it again")
    try:
        with readable_path(path) as readable:
            return load_file(readable)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} cannot be read as safetensors: {error}", remedy="fetch or make it again"
        ) from error


def _of_port(tensors: dict[str, Tensor], path: Path) -> Contents:
    config = path.parent / "config.json"
    return Contents(tensors, flat(read_json(config)) if os.path.lexists(config) else {}, "Hugging Face")


def _tensors(values: Mapping[Any, Any], path: Path) -> dict[str, Tensor]:
    if not values or not all(isinstance(name, str) and isinstance(each, Tensor) for name, each in values.items()):
        strange = next((str(name) for name, each in values.items() if not isinstance(each, Tensor)), "nothing")
        raise CheckpointError(f"{path} holds {strange[:60]!r}, no tensor", "weights by name", AGAIN)
    return {name: each.detach() for name, each in values.items()}


def _settings_of(values: Mapping[Any, Any]) -> dict[str, Any]:
    """fairseq's settings, flat: those of the task, then those of the model; older files have one flat `args`."""
    config = _unwrapped(values.get("cfg"))
    parts = [config.get(part) for part in PARTS] if isinstance(config, dict) else []
    found: dict[str, Any] = {}
    for part in (values.get("args"), *parts):
        found |= flat(part)
    return found


def flat(settings: object) -> dict[str, Any]:
    """Numbers, texts and truth values of settings, by name; whatever lies deeper is not looked at.

    Files can share one object in many places, so that all that hangs on a few megabytes would never be read to an end.
    """
    opened = _unwrapped(settings)
    if not isinstance(opened, dict):
        return {}
    entries = ((name, _unwrapped(value)) for name, value in cast("dict[Any, Any]", opened).items())
    return {
        name: value for name, value in entries if isinstance(name, str) and isinstance(value, (str, int, float, bool))
    }


def _unwrapped(value: object) -> object:
    """What a Namespace, or a node of omegaconf, holds."""
    if isinstance(value, argparse.Namespace):
        return vars(value)
    if isinstance(value, Inert):
        state: Any = value.state
        return cast("object", state.get("_content", state.get("_val"))) if isinstance(state, dict) else None
    return value
