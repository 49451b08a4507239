"""Captioned photographs: any folder or tar of pictures, with a JSON-lines file of `photo` and `captions`.

    {"photo": "1000268201.jpg", "captions": ["A child in a pink dress is climbing stairs .", ...]}

Captions become words: the longest runs of up to three words that the base knows, one canonical word each, with the
number of captions that say it. What captions use as a verb, a colour or a part of the body is left out
(`lists/stop.txt`).
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ifseg_cli.core.vocabulary.known import KnownWords

SUFFIXES = (".jpg", ".jpeg", ".png")
LONGEST = 3  # words of a name
LISTS = Path(__file__).with_name("lists")


@dataclass(frozen=True)
class Source:
    """Photographs in one place.

    Args:
        photos: a folder, or a tar of one.
        captions: JSON lines; None: the one `.jsonl` in the tar or folder.
        size: (height, width) that every photograph is brought to; None: as pictures are when predicted.
    """

    photos: Path
    captions: Path | None = None
    size: tuple[int, int] | None = None

    @property
    def key(self) -> str:
        """A name for what is kept of it, which changes with what is read."""
        told = f"{self.photos.resolve()} {self.photos.stat().st_size} {self.captions} {self.size}"
        return f"{self.photos.stem}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Photo:
    """A photograph with its captions."""

    name: str
    pixels: NDArray[np.uint8]  # (H, W, 3)
    captions: tuple[str, ...]


def sources(photos: Sequence[str], told: Sequence[Path]) -> list[Source]:
    """Sources as the command line names them: `PLACE` or `PLACE@HEIGHTxWIDTH` each; captions files are of the last."""
    if len(told) > len(photos):
        raise SystemExit("more --captions than --photos")
    files = [None] * (len(photos) - len(told)) + list(told)
    made: list[Source] = []
    for text, file in zip(photos, files, strict=True):
        place, _, size = text.partition("@")
        height, _, width = size.partition("x")
        if not Path(place).exists():
            raise SystemExit(f"there is no {place}")
        made.append(Source(Path(place), file, (int(height), int(width)) if size else None))
    return made


def read(source: Source, skip: int = 0) -> Iterator[Photo]:
    """The captioned photographs of a source, by name; those without captions are passed over.

    Args:
        source: where they are.
        skip: how many to pass over without decoding.
    """
    told = captions(source)
    with Place(source.photos) as place:
        for name in sorted(set(place.names) & set(told))[skip:]:
            with Image.open(io.BytesIO(place.read(place.names[name]))) as image:
                pixels = np.asarray(image.convert("RGB"))
            yield Photo(name, pixels, told[name])


def captions(source: Source) -> dict[str, tuple[str, ...]]:
    """Photo -> its captions."""
    if source.captions is not None:
        text = source.captions.read_text(encoding="utf-8")
    else:
        with Place(source.photos) as place:
            listed = [path for path in place.paths if path.endswith(".jsonl")]
            if len(listed) != 1:
                raise SystemExit(f"{source.photos} has {len(listed)} .jsonl files; say which: --captions FILE")
            text = place.read(listed[0]).decode("utf-8")
    lines = (json.loads(line) for line in text.splitlines() if line.strip())
    return {PurePath(each["photo"]).name: tuple(each["captions"]) for each in lines}


def words(told: tuple[str, ...], known: KnownWords, stop: frozenset[str]) -> dict[str, int]:
    """Canonical word -> in how many of the captions it stands."""
    counts: dict[str, int] = {}
    for caption in told:
        for word in _words(caption, known, stop):
            counts[word] = counts.get(word, 0) + 1
    return dict(sorted(counts.items()))  # a set's order differs from run to run, and sums follow it


def listed(name: str) -> tuple[str, ...]:
    """The words of `lists/NAME.txt`: several a line, separated by commas, and a comment that says what they are."""
    lines = (LISTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    told = (line.partition("#")[0].split(",") for line in lines)
    return tuple(word.strip() for words in told for word in words if word.strip())


def _words(caption: str, known: KnownWords, stop: frozenset[str]) -> set[str]:
    tokens, found, at = re.findall(r"[a-z]+", caption.lower()), set[str](), 0
    while at < len(tokens):
        for length in range(min(LONGEST, len(tokens) - at), 0, -1):
            surface = " ".join(tokens[at : at + length])
            if surface in stop or (length > 1 and surface not in known.words):
                continue
            meant = known.resolve(surface)
            if meant is not None and meant[0] not in stop:
                found.add(meant[0])
                at += length
                break
        else:
            at += 1
    return found


class Place:
    """Files of a folder or a tar, by their last name."""

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path) if path.is_file() else None  # noqa: SIM115 - closed by __exit__
        self._root = path
        if self._tar is not None:
            self.paths = [member.name for member in self._tar.getmembers() if member.isfile()]
        else:
            self.paths = [each.relative_to(path).as_posix() for each in sorted(path.rglob("*")) if each.is_file()]
        self.names = {PurePath(each).name: each for each in self.paths if each.lower().endswith(SUFFIXES)}

    def read(self, path: str) -> bytes:
        if self._tar is None:
            return (self._root / path).read_bytes()
        file = self._tar.extractfile(path)
        assert file is not None  # a member that is a file
        return file.read()

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        if self._tar is not None:
            self._tar.close()
