"""The manifest: `predictions.jsonl`, one line per finished image, and `failures.jsonl`, one per image that failed.

A line is appended and flushed when its files are in place, so what stands in the manifest is done; a line that a
killed run left half-written is no line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ifseg_cli.core.errors import OutputError

PREDICTIONS, FAILURES = "predictions.jsonl", "failures.jsonl"


@dataclass(frozen=True)
class ClassArea:
    """How much of an image a category takes."""

    name: str
    value: int  # in the mask
    pixels: int
    share: float  # of the image, 0..1


@dataclass(frozen=True)
class Record:
    """A finished image. Paths of results are relative to the output folder, with forward slashes."""

    image: str  # path below the input
    path: str  # where it was read, absolute
    width: int  # pixels, upright
    height: int
    mask: str
    overlay: str | None
    thumbnails: dict[str, str] | None  # photograph, overlay, mask
    classes: tuple[ClassArea, ...]  # those present, largest first
    ignored: int  # pixels
    confidence: float  # mean over all pixels of the winner's probability, 0..1
    seconds: float

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Record:
        """The inverse of a line."""
        areas: Any = tuple(ClassArea(**each) for each in values["classes"])
        return cls(**(values | {"classes": areas}))


@dataclass(frozen=True)
class Failure:
    """An image that could not be done, and why, in one line."""

    image: str
    path: str
    error: str


def append(folder: Path, line: Record | Failure) -> None:
    """Add one line to the manifest it belongs to, and flush it.

    Raises:
        OutputError: the folder cannot be written to.
    """
    path = folder / (PREDICTIONS if isinstance(line, Record) else FAILURES)
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(line)) + "\n")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}", remedy="choose another --out") from error


def start(folder: Path) -> None:
    """Make the output folder with an empty manifest; lines of an earlier run are dropped.

    Raises:
        OutputError: the folder cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FAILURES).unlink(missing_ok=True)
        (folder / PREDICTIONS).write_text("", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write to {folder}: {error.strerror}", remedy="choose another --out") from error


def read_records(folder: Path) -> Iterator[Record]:
    """The finished images, in the order of the manifest."""
    return (Record.from_json(values) for values in _read(folder / PREDICTIONS))


def read_failures(folder: Path) -> Iterator[Failure]:
    """The images that failed."""
    return (Failure(**values) for values in _read(folder / FAILURES))


def _read(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)
