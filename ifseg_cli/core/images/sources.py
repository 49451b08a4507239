"""Which pictures are meant, and what their results are called.

An input is a file, a folder or a pattern. A folder is read with all its sub-folders; what it holds keeps its place in
the output. Hidden files and folders are skipped, symbolic links followed once. In a folder only files with a picture's
suffix are read (a README is no failure); a file named by the user is always read.

How results are named, so that no two pictures ever write the same file:

1. by the path below the folder that was given (a pattern: below its part before the first wildcard; a file: its name);
2. where two inputs hold the same path, as many parent folders are put in front as tell them apart;
3. the suffix is dropped; where that makes two names equal (`a.jpg`, `a.png`) both keep it (`a.jpg.png`, `a.png.png`).
"""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from ifseg_cli.core.errors import ImageError, OutputError
from ifseg_cli.core.images.opening import picture_suffixes


@dataclass(frozen=True)
class Source:
    """A picture to be read, and the name its results carry.

    Args:
        path: where the picture lies.
        name: its path below the input, with suffix; shown to people and written into the manifest.
        output: the relative path of its results, without their suffix.
    """

    path: Path
    name: PurePath
    output: PurePath


MODEL_FILES = {"config.json", "model.safetensors"}  # what every base and model folder has


def find_images(inputs: Sequence[str | Path], exclude: Path | None = None) -> tuple[Source, ...]:
    """All pictures that `inputs` (files, folders, patterns) name, each once, sorted by name.

    Args:
        inputs: in the order of the command line.
        exclude: the output folder; what lies in it is not read.

    Raises:
        ImageError: an input that matches nothing.
        OutputError: an input that lies inside the output folder.
    """
    excluded = exclude.resolve() if exclude is not None else None
    found: dict[Path, PurePath] = {}
    for given in inputs:
        if excluded is not None and Path(given).exists():
            _require_outside(Path(given), excluded)
        before = len(found)
        seen_again = False
        for path, name in _expand(str(given), excluded):
            key = Path(os.path.abspath(path))  # noqa: PTH100 - no symbolic link resolved: its own name counts
            seen_again |= key in found
            found.setdefault(key, name)
        if len(found) == before and not seen_again:
            raise ImageError(f"no picture found at {given}", "a picture, a folder of pictures or a pattern")
    names = _told_apart(found)
    outputs = _without_suffix(names.values())
    ordered = sorted(names.items(), key=lambda item: (item[1].parts, str(item[0])))
    return tuple(Source(path, name, outputs[name]) for path, name in ordered)


def _require_outside(given: Path, excluded: Path) -> None:
    resolved = given.resolve()
    if resolved == excluded or excluded in resolved.parents:
        raise OutputError(f"the input {given} lies in the output folder {excluded}", remedy="choose another --out")


def _expand(given: str, excluded: Path | None) -> Iterator[tuple[Path, PurePath]]:
    """Pairs of a picture's path and its name below the input."""
    path = Path(given)
    if path.is_dir():
        for inside in _walk(path, excluded):
            yield inside, inside.relative_to(path)
    elif path.exists():  # before patterns: a file may be called a[1].jpg
        yield path, PurePath(path.name)
    else:
        yield from _match(given, excluded)


def _walk(folder: Path, excluded: Path | None) -> Iterator[Path]:
    """Pictures in a folder and its sub-folders; a folder reached twice through links is read once."""
    visited: set[str] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(root)
        if real in visited or (excluded is not None and Path(real) == excluded):
            folders.clear()
            continue
        visited.add(real)
        if set(files) >= MODEL_FILES:  # a model's loss curve is no photograph
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in picture_suffixes():
                yield Path(root, name)


def _match(pattern: str, excluded: Path | None) -> Iterator[tuple[Path, PurePath]]:
    """What a pattern matches: files; of folders that match, their pictures."""
    base = Path(*_before_wildcard(Path(pattern)))
    for match in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207 - Path.glob refuses absolute patterns
        path = Path(match)
        if excluded is not None and excluded in (path.resolve(), *path.resolve().parents):
            continue
        if path.is_dir():
            if "**" not in pattern:  # ** gives the files inside by itself
                yield from ((inside, inside.relative_to(base)) for inside in _walk(path, excluded))
        elif path.suffix.lower() in picture_suffixes():
            yield path, path.relative_to(base)


def _before_wildcard(pattern: Path) -> list[str]:
    parts: list[str] = []
    for part in pattern.parts:
        if glob.has_magic(part):
            break
        parts.append(part)
    return parts


def _told_apart(found: dict[Path, PurePath]) -> dict[Path, PurePath]:
    """Names that are unique, by parents put in front where two are equal."""
    names = dict(found)
    while True:
        counts = Counter(names.values())
        equal = [path for path, name in names.items() if counts[name] > 1]
        if not equal:
            return names
        for path in equal:
            depth = len(names[path].parts) + 1
            names[path] = PurePath(*path.parts[1:][-depth:])


def _without_suffix(names: Iterable[PurePath]) -> dict[PurePath, PurePath]:
    """Every name without its suffix; with it where two would be equal."""
    outputs = {name: name.with_suffix("") for name in names}
    while True:
        counts = Counter(outputs.values())
        equal = [name for name, output in outputs.items() if counts[output] > 1 and output != name]
        if not equal:
            return outputs
        outputs.update({name: name for name in equal})
