"""A class-map file: what the values or names of a system's masks, or of labels, are among a data set's classes.

    # left: a value of the masks, or a name of theirs; right: a class of the data set, or - for none of them
    0 = wall
    1 = building
    tv monitor = television
    person = -

Several lines may name one class on the right. A pixel whose value has no class is wrong wherever a label counts.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ifseg_cli.core.errors import DatasetError, listed
from ifseg_cli.core.images.classes import HIGHEST

NONE = "-"


@dataclass(frozen=True)
class ClassMap:
    """Left sides -> classes; None for none of them."""

    source: Path
    to: dict[str, str | None]

    def join(
        self, names: Sequence[str], names_from: str, classes: Sequence[str], classes_from: str
    ) -> dict[str, str | None]:
        """The class of every name, None for none of them; a name that no line has is a class itself.

        Args:
            names: of the masks; empty where their values have none.
            names_from: where they stand.
            classes: of the data set.
            classes_from: where those stand.

        Raises:
            DatasetError: a side of a line that is neither, or a name that would fall out in silence.
        """
        for left, right in self.to.items():
            if right is not None and right not in classes:
                remedy = _nearest(right, classes) or f"write {NONE} if it is none of them"
                raise DatasetError(f"{self.source}: '{left} = {right}'", f"a class of {classes_from}", remedy)
            if left not in names and not left.isdecimal():
                remedy = _nearest(left, names) or "leave the line out"
                raise DatasetError(f"{self.source}: '{left}'", f"a name of {names_from}, or a value", remedy)
        joined = {name: self.to.get(name, name) for name in names}
        if strangers := [f"'{name}'" for name, right in joined.items() if right is not None and right not in classes]:
            found = f"{names_from} has {listed(strangers)}, of which {self.source} says nothing"
            raise DatasetError(
                found, f"classes of {classes_from}, or a line each", f"write NAME = CLASS, or NAME = {NONE}"
            )
        return joined

    def values(self, names: Sequence[str] = ()) -> dict[int, str | None]:
        """The lines whose left side is a value (and no name of the masks)."""
        return {int(left): right for left, right in self.to.items() if left not in names and left.isdecimal()}


def read_class_map(path: Path, option: str = "--class-map") -> ClassMap:
    """Read a class-map file, which an option named.

    Raises:
        DatasetError: it cannot be read, or a line has no two sides, a side twice, or a value that cannot be.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise DatasetError(f"{option} {path} cannot be read: {reason}", "a text file") from error
    to: dict[str, str | None] = {}
    for number, line in enumerate(lines, 1):
        text = " ".join(line.split())
        if not text or text.startswith("#"):
            continue
        left, equals, right = (part.strip() for part in text.rpartition("="))
        place = f"{path}, line {number}"
        if not equals or not left or not right:
            raise DatasetError(f"{place}: '{text[:60]}'", "VALUE = CLASS, NAME = CLASS, or - for no class")
        if left in to:
            raise DatasetError(f"{place}: '{left}' stands there twice", "one line each")
        if left.isdecimal() and int(left) > HIGHEST:
            raise DatasetError(f"{place}: value {left}", f"values from 0 to {HIGHEST}")
        to[left] = None if right == NONE else right
    if not to:
        raise DatasetError(f"{path} has no lines", "VALUE = CLASS, or NAME = CLASS")
    return ClassMap(path, to)


def _nearest(name: str, names: Sequence[str]) -> str:
    """A question about the most similar name; empty where none is."""
    near = difflib.get_close_matches(name, names, 1)
    return f"did you mean '{near[0]}'?" if near else ""
