"""Where a run stands: what of a folder is done, so that the same command goes on where an earlier one stopped.

An image is done if a manifest has its line, its mask is there, and the file it was made from has kept its size and
time. All that is not done is done again, failures too. Masks of another model, of other settings or of other pictures
are never mixed with these: the folder is refused, and what differs is named.

Kept in memory are 16 bytes a line: where it stands. The line itself is read when its picture comes up.
"""

from __future__ import annotations

import hashlib
import json
import os
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ifseg_cli.core.errors import OutputError
from ifseg_cli.core.files import atomic, forget, require_new, sha256_of
from ifseg_cli.core.images.classes import CLASSES, MaskClass, read_classes
from ifseg_cli.core.images.sources import Source
from ifseg_cli.core.prediction.engine.manifest import Record, manifests, read_lines
from ifseg_cli.core.provenance import FILE as PROVENANCE
from ifseg_cli.core.provenance import read_provenance
from ifseg_cli.core.recipe import PredictionSettings
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary

CHANGE_NO_MASK = ("max_pixels", "accept_truncated", "export")  # they decide what fails, and what is made of the masks
BEGUN = (CLASSES, PROVENANCE)  # what a run writes before its manifest
REMEDY = "say --overwrite, or choose another --out"
_FILE = 48  # a place is the number of the manifest, and in the lower 48 bits the byte where the line begins


def require_place(out: Path, overwrite: bool) -> None:
    """Refuse a folder that holds anything but an earlier run, as far as can be told before the model is read.

    Raises:
        OutputError: it holds something else.
    """
    begun = manifests(out)
    if begun and (out / PROVENANCE).is_file():
        return
    known = {*BEGUN, *(path.name for path in begun)}
    if not (out.is_dir() and all(each.name in known or _is_part(each) for each in out.iterdir())):
        require_new(out, overwrite)  # a run that was killed before its first picture leaves no more than that


def require_same(
    out: Path, model_sha256: str, settings: PredictionSettings, classes: Sequence[MaskClass], words: str
) -> None:
    """Refuse a folder whose masks were made by another model, with other settings, or show other categories.

    Args:
        out: the folder.
        model_sha256: the model's weights.
        settings: how to predict.
        classes: what the masks will show.
        words: hash of what the model reads for them (`words_identity`).

    Raises:
        OutputError: with what differs.
    """
    if not manifests(out):
        return
    made = read_provenance(out)
    if made.get("model_sha256") != model_sha256:
        raise OutputError(f"{out} holds masks of another model, {made.get('model')}", remedy=REMEDY)
    now, then = _deciding(settings.model_dump(mode="json")), _deciding(made.get("settings") or {})
    if other := [f"{key} was {then.get(key)}, is {now[key]}" for key in now if key in then and then[key] != now[key]]:
        raise OutputError(f"{out} holds masks made with other settings: {', '.join(other)}", remedy=REMEDY)
    held = [(each.value, each.name) for each in read_classes(out) or ()]
    if held != [(each.value, each.name) for each in classes]:
        raise OutputError(f"{out} holds masks of other categories", remedy=REMEDY)
    if made.get("words", words) != words:
        raise OutputError(f"{out} holds masks of the same names with other synonyms", remedy=REMEDY)


def run_identity(model_sha256: str, settings: PredictionSettings, classes: Sequence[MaskClass]) -> str:
    """A short hash of all that decides what a mask shows, besides the image."""
    parts = [model_sha256, _deciding(settings.model_dump(mode="json")), [[each.value, each.name] for each in classes]]
    return sha256_of(parts)[:16]


def words_identity(vocabulary: Vocabulary) -> str:
    """A short hash of what a model reads for its categories: prompt, names, synonyms."""
    return sha256_of([vocabulary.prompt_ids, vocabulary.piece_ids])[:16]


class Ledger:
    """The lines of all manifests of a folder, found by the image they are about.

    Attributes:
        has_old_lines: whether lines were met that a later one replaces.
    """

    def __init__(self, out: Path) -> None:
        self.out, self.has_old_lines = out, False
        self._files = manifests(out)
        keys, places = array("Q"), array("Q")
        for number, path in enumerate(self._files):
            for place, values in read_lines(path):
                keys.append(_key(values["image"]))
                places.append(number << _FILE | place)
        order = np.argsort(np.frombuffer(keys, dtype=np.uint64), kind="stable") if keys else np.zeros(0, np.int64)
        self._keys = np.array(keys, dtype=np.uint64)[order]
        self._places = np.array(places, dtype=np.uint64)[order]

    def done(self, source: Source) -> Record | None:
        """The line of a picture that need not be done again; of one that must, the old results are deleted first.

        Raises:
            OutputError: the line is about another picture of this name: two never share a mask.
        """
        if not len(self._keys):
            return None
        lines = list(self._lines(source.name.as_posix()))
        if other := next((each.path for _, each in lines if each.path != str(source.path.absolute())), None):
            raise OutputError(f"{self.out} holds the mask of another picture by the same name, {other}", remedy=REMEDY)
        now, last = (
            stamp(source.path),
            dict(lines).values(),
        )  # of each manifest the last: its mask is there
        good = [each for each in last if (each.size, each.mtime) == now and (self.out / each.mask).is_file()]
        self.has_old_lines |= len(lines) > len(good[:1])
        if good:
            return good[-1]
        inside = self.out.resolve()  # a manifest from elsewhere deletes nothing
        old = [self.out / file for _, each in lines for file in each.files()]
        forget(path for path in old if inside in path.resolve().parents)
        return None

    def _lines(self, image: str) -> Iterator[tuple[int, Record]]:
        """The lines about an image, each with the number of its manifest, in the order in which they were written."""
        key = np.uint64(_key(image))
        first, last = np.searchsorted(self._keys, key), np.searchsorted(self._keys, key, side="right")
        for place in self._places[first:last].tolist():
            with self._files[place >> _FILE].open("rb") as file:
                file.seek(place & ((1 << _FILE) - 1))
                values = json.loads(file.readline())
            if values["image"] == image:
                yield place >> _FILE, Record.from_json(values)


def drop_old_lines(out: Path, paths: Sequence[Path]) -> None:
    """Bring manifests to one line an image: the last one, if its mask is there.

    Raises:
        OutputError: one cannot be written.
    """
    last: dict[str, tuple[Path, int]] = {}
    for path in paths:
        last.update({values["image"]: (path, place) for place, values in read_lines(path)})
    for path in paths:
        with atomic(path, "w") as file:
            for place, values in read_lines(path):
                if last[values["image"]] == (path, place) and (out / values["mask"]).is_file():
                    file.write(json.dumps(values) + "\n")


def forget_parts(out: Path) -> None:
    """Delete what killed runs left half-written, under the names that files have until they are whole.

    Raises:
        OutputError: one cannot be deleted.
    """
    found = (Path(root, name) for root, _, names in os.walk(out) for name in names if name.startswith(".ifseg-"))
    forget(path for path in found if _is_part(path))


def stamp(path: Path) -> tuple[int, int]:
    """Size in bytes and time of change in nanoseconds; zeros for a file that cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _is_part(path: Path) -> bool:
    return path.name.startswith(".ifseg-") and ".part" in path.suffixes and path.is_file()


def _key(image: str) -> int:
    return int.from_bytes(hashlib.blake2b(image.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _deciding(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in CHANGE_NO_MASK}
