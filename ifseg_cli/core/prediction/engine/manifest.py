"""The manifest: `predictions.jsonl`, one line per finished image, and `failures.jsonl`, one per image that failed.

A line is appended and flushed when its files are in place, so what stands in the manifest is done; a line that a
killed run left half-written is no line. A shard writes `predictions-2-of-8.jsonl`; all are read, whoever wrote them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ifseg_cli.core.files import append_line, forget, require_folder, shorten
from ifseg_cli.core.images.classes import CLASSES
from ifseg_cli.core.prediction.engine.shards import ALL, Shard
from ifseg_cli.core.provenance import FILE as PROVENANCE

PREDICTIONS, FAILURES = "predictions.jsonl", "failures.jsonl"
CONFIDENCE = "confidence"  # folder of what each pixel's confidence is, as grey PNG
PROBABILITIES = "probabilities"  # folder of what each cell's probabilities are, as safetensors
EXPORTS = "exports"  # folder of the same masks in other forms
PICTURES = ("overlays", "thumbnails")  # folders of pictures to look at
OF_A_RUN = (CLASSES, PROVENANCE, "index.html")
OF_FORMS = (".json", ".png", ".txt")  # suffixes of what exports are written as
LONGEST_LINE = 1 << 20  # bytes of a line, at most: two thousand categories in one picture


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
    thumbnails: dict[str, str] | None  # photograph, labels
    classes: tuple[ClassArea, ...]  # those present, largest first
    ignored: int  # pixels
    confidence: float  # mean over all pixels of the winner's probability, 0..1
    seconds: float
    frames: int = 1  # frames or pages in the file; the first was used
    confidence_map: str | None = None  # every pixel's confidence, 0..255 for 0..1
    probabilities: str | None = None  # every cell's, safetensors
    size: int = 0  # of the file, bytes
    mtime: int = 0  # of the file, nanoseconds
    run: str = ""  # hash of model, settings and categories
    notes: tuple[str, ...] = ()  # what was done to the picture: "stretched", "cut off"

    def files(self) -> tuple[str, ...]:
        """Everything that was written for it, below the output folder."""
        made = (self.mask, self.overlay, self.confidence_map, self.probabilities, *(self.thumbnails or {}).values())
        return tuple(each for each in made if each is not None)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Record:
        """The inverse of a line."""
        areas: Any = tuple(ClassArea(**each) for each in values["classes"])
        notes: Any = tuple(values.get("notes", ()))
        return cls(**(values | {"classes": areas, "notes": notes}))


@dataclass(frozen=True)
class Failure:
    """An image that could not be done, and why, in one line."""

    image: str
    path: str
    error: str


@dataclass(frozen=True)
class Settled:
    """A picture of which nothing is left to do but its line."""

    line: Record | Failure
    before: bool = False  # an earlier run has done it, and its line is there


def append(folder: Path, line: Record | Failure, shard: Shard = ALL) -> None:
    """Add one line to the manifest it belongs to, and flush it.

    Raises:
        OutputError: the folder cannot be written to.
    """
    name = PREDICTIONS if isinstance(line, Record) else FAILURES
    append_line(folder / shard.file(name), json.dumps(asdict(line)))


def manifests(folder: Path, name: str = PREDICTIONS) -> tuple[Path, ...]:
    """Every file of a kind that runs and shards have written in a folder."""
    stem, _, suffix = name.partition(".")
    form = re.compile(rf"{stem}(-\d+-of-\d+)?\.{suffix}")
    if not folder.is_dir():
        return ()
    with os.scandir(folder) as entries:
        return tuple(folder / each for each in sorted(entry.name for entry in entries if form.fullmatch(entry.name)))


def read_records(folder: Path) -> Iterator[Record]:
    """The finished images, in the order of the manifests."""
    return (Record.from_json(values) for path in manifests(folder) for _, values in read_lines(path))


def read_failures(folder: Path) -> Iterator[Failure]:
    """The images that failed."""
    return (Failure(**values) for path in manifests(folder, FAILURES) for _, values in read_lines(path))


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The whole lines of a manifest, each with the place in bytes where it begins."""
    place = 0
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                with suppress(ValueError):  # half a line of a shard that was killed, and another's after it
                    yield place, json.loads(line)
            place += len(line)


def end_whole(path: Path) -> None:
    """Cut off half a line at the end, so that the next one begins on a line of its own.

    Raises:
        OutputError: it cannot be written to.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LONGEST_LINE))
        tail = file.read()
    if not tail.endswith(b"\n"):
        shorten(path, size - len(tail) + tail.rfind(b"\n") + 1)


def start_anew(folder: Path) -> None:
    """Make the output folder; what an earlier run wrote there is deleted.

    Only files of that run go: those its manifest names, and what lies in `overlays`, `thumbnails` and `exports`. A
    folder without a manifest is no run's, and nothing in it is touched.

    Raises:
        OutputError: the folder cannot be made or written to.
    """
    require_folder(folder)
    if manifests(folder):
        forget(_written_by_a_run(folder))


def _written_by_a_run(folder: Path) -> Iterator[Path]:
    """Every file of the run whose manifest lies in `folder`, the manifest last."""
    inside = folder.resolve()
    named = (folder / file for record in read_records(folder) for file in record.files())
    yield from (path for path in named if inside in path.resolve().parents)  # a manifest from elsewhere deletes nothing
    yield from (path for name in PICTURES for path in (folder / name).rglob("*") if path.suffix in (".jpg", ".js"))
    yield from (path for path in (folder / EXPORTS).rglob("*") if path.suffix in OF_FORMS or path.is_symlink())
    yield from (folder / name for name in OF_A_RUN)
    yield from manifests(folder, FAILURES)
    yield from manifests(folder)
