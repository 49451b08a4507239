"""What results are called, so that no two pictures ever write the same file.

1. By the path below the folder that was given (a pattern: below its part before the first wildcard; a file: its name);
2. where two inputs hold the same path, as many parent folders are put in front as tell them apart;
3. the suffix is dropped; where that makes two names equal (`a.jpg`, `a.png`) both keep it (`a.jpg.png`, `a.png.png`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath


def told_apart(found: Mapping[Path, PurePath]) -> dict[Path, PurePath]:
    """Names (path -> its path below its input) that are unique, by parents put in front where two are equal."""
    names = dict(found)
    while True:
        counts = Counter(names.values())
        equal = [path for path, name in names.items() if counts[name] > 1]
        if not equal:
            return names
        for path in equal:
            depth = len(names[path].parts) + 1
            names[path] = PurePath(*path.parts[1:][-depth:])


def without_suffix(names: Iterable[PurePath]) -> dict[PurePath, PurePath]:
    """Every name without its suffix; with it where two would be equal."""
    outputs = {name: name.with_suffix("") for name in names}
    while True:
        counts = Counter(outputs.values())
        equal = [name for name, output in outputs.items() if counts[output] > 1 and output != name]
        if not equal:
            return outputs
        outputs.update({name: name for name in equal})


def keep_suffix(names: Iterable[str]) -> frozenset[str]:
    """Of the files of one folder, those that keep their suffix by rule 3: none, in most folders.

    Results of two folders never meet, so a folder's names can be settled without looking at any other.
    """
    listed = list(names)
    stems = {os.path.splitext(name)[0] for name in listed}  # noqa: PTH122 - a Path takes ten times as long
    if len(stems) == len(listed):
        return frozenset()
    settled = without_suffix(PurePath(name) for name in listed)
    return frozenset(name.name for name, output in settled.items() if name == output)
