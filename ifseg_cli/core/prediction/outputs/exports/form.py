"""What every form of export is given: finished masks, one after the other.

A form is a context manager: `with coco(folder, classes, out) as add:`, `add(mask)` for every mask; files that can be
whole only when all masks are known are finished on leaving.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.files import write_atomic
from ifseg_cli.core.images.classes import MaskClass
from ifseg_cli.core.prediction.engine.manifest import Record


@dataclass(frozen=True, eq=False)
class Mask:
    """A finished mask.

    Args:
        record: its line of the manifest.
        number: its place in the manifests, from 1.
        values: (H, W), as classes.json says.
    """

    record: Record
    number: int
    values: NDArray[np.uint8] | NDArray[np.uint16]

    @property
    def name(self) -> PurePosixPath:
        """Its path below the folder of masks, without suffix."""
        return PurePosixPath(self.record.mask.removesuffix(".png"))

    def regions(self) -> Iterator[tuple[str, int, NDArray[np.bool_]]]:
        """Name, value and pixels (H, W) of every category present, the largest first."""
        for area in self.record.classes:
            yield area.name, area.value, self.values == area.value


Add = Callable[[Mask], None]
Form = Callable[[Path, Sequence[MaskClass], Path], AbstractContextManager[Add]]  # folder, classes, folder of masks


def below(folder: Path, name: PurePosixPath, ending: str) -> Path:
    """A mask's file of a form: sub-folders as in the folder of masks."""
    return folder / name.with_name(name.name + ending)


def is_current(path: Path, out: Path, mask: Mask) -> bool:
    """Whether a file is younger than its mask: it need not be made again, and may hold what somebody has edited."""
    return path.is_file() and path.stat().st_mtime_ns >= (out / mask.record.mask).stat().st_mtime_ns


def link(picture: Path, place: Path) -> None:
    """Let a picture be found at a second place, by a symbolic link; by a copy where links cannot be made.

    Raises:
        OutputError: neither can be written.
    """
    if place.is_symlink() or place.exists():
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(picture)
    except OSError:  # Windows without the right to make links, or a file system that has none
        write_atomic(place, lambda temporary: shutil.copyfile(picture, temporary) and None)


def picture_from(folder: Path, record: Record) -> str:
    """A picture's path as seen from a folder, with forward slashes; absolute where there is no way (another drive)."""
    try:
        return Path(os.path.relpath(record.path, folder.absolute())).as_posix()
    except ValueError:
        return Path(record.path).as_posix()
