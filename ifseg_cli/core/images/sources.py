"""Which pictures are meant, what their results are called, and what was passed over.

An input is a file, a folder or a pattern. A folder is read with all its sub-folders; what it holds keeps its place in
the output. Symbolic links are followed once. In a folder only files with a picture's suffix are read; a file named by
the user is always read. Passed over, and counted: hidden files and folders, files of other kinds, and folders that
ifseg wrote itself (models, masks, samples, reports), which are known by what they hold.

What cannot be looked at (a folder without permission, an input that matches nothing beside others that do) is a fault
of its own: listed, and the rest is done.

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
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from ifseg_cli.core.errors import ImageError, OutputError
from ifseg_cli.core.images.opening import picture_suffixes

HIDDEN, OURS = "hidden", "folder that ifseg wrote"
NO_SUFFIX = "without suffix"

# What a folder that ifseg wrote holds, whichever of these it is: not photographs, whatever their suffix.
OUR_FOLDERS: tuple[frozenset[str], ...] = (
    frozenset({"config.json", "model.safetensors"}),  # a base or a model, with its loss curve
    frozenset({"classes.json", "predictions.jsonl"}),  # masks, overlays, thumbnails
    frozenset({"sheet.png", "samples.safetensors"}),  # artificial images
    frozenset({"report.json", "report.md"}),  # an evaluation
    frozenset({"comparison.json", "comparison.md"}),  # of several systems
    frozenset({"scenes.json"}),  # drawn scenes, with their labels
)


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


@dataclass(frozen=True)
class Fault:
    """An input, or a folder below one, that could not be looked at."""

    path: Path
    error: str


@dataclass
class Found:
    """What the inputs came to.

    Attributes:
        sources: pictures, sorted by name.
        faults: what could not be looked at.
        passed_over: kind (a suffix without its dot, or one of the constants above) -> how many.
    """

    sources: tuple[Source, ...] = ()
    faults: list[Fault] = field(default_factory=list[Fault])
    passed_over: Counter[str] = field(default_factory=Counter[str])


def find_images(inputs: Sequence[str | Path], exclude: Path | None = None) -> Found:
    """All pictures that `inputs` (files, folders, patterns) name, each once.

    Args:
        inputs: in the order of the command line.
        exclude: the output folder; what lies in it is not read.

    Raises:
        ImageError: not one picture was found.
        OutputError: an input that lies inside the output folder.
    """
    excluded = exclude.resolve() if exclude is not None else None
    search = _Search(excluded)
    for given in inputs:
        if excluded is not None and Path(given).exists():
            _require_outside(Path(given), excluded)
        search.add(str(given))
    if not search.paths:
        raise _nothing(search.found)
    names = _told_apart(search.paths)
    outputs = _without_suffix(names.values())
    ordered = sorted(names.items(), key=lambda item: (item[1].parts, str(item[0])))
    search.found.sources = tuple(Source(path, name, outputs[name]) for path, name in ordered)
    return search.found


class _Search:
    """Pictures found so far, and what was met on the way."""

    def __init__(self, excluded: Path | None) -> None:
        self.excluded, self.found = excluded, Found()
        self.paths: dict[Path, PurePath] = {}  # each once, by its own name: no symbolic link resolved

    def add(self, given: str) -> None:
        """Take one input; one that gives nothing is a fault."""
        before, faults, again = len(self.paths), len(self.found.faults), False
        for path, name in self._expand(given):
            key = Path(os.path.abspath(path))  # noqa: PTH100 - `resolve` would follow links
            again |= key in self.paths
            self.paths.setdefault(key, name)
        if len(self.paths) == before and not again and len(self.found.faults) == faults:
            self.found.faults.append(Fault(Path(given), f"no picture found at {given}"))

    def _expand(self, given: str) -> Iterator[tuple[Path, PurePath]]:
        """Pairs of a picture's path and its name below the input."""
        path = Path(given)
        if path.is_dir():
            for inside in self._walk(path):
                yield inside, inside.relative_to(path)
        elif os.path.lexists(path):  # before patterns: a file may be called a[1].jpg; a dangling link is told when read
            yield path, PurePath(path.name)
        else:
            yield from self._match(given)

    def _walk(self, folder: Path) -> Iterator[Path]:
        """Pictures in a folder and its sub-folders; a folder reached twice through links is read once."""
        visited: set[str] = set()
        for root, folders, files in os.walk(folder, followlinks=True, onerror=self._unreadable):
            real = os.path.realpath(root)
            if real in visited or (self.excluded is not None and Path(real) == self.excluded):
                folders.clear()
                continue
            visited.add(real)
            if is_ours(files):
                self.found.passed_over[OURS] += 1
                folders.clear()
                continue
            shown = sorted(name for name in folders if not name.startswith("."))
            if len(shown) < len(folders):
                self.found.passed_over[HIDDEN] += len(folders) - len(shown)
            folders[:] = shown
            yield from (Path(root, name) for name in sorted(files) if self._is_picture(name))

    def _is_picture(self, name: str) -> bool:
        if name.startswith("."):
            self.found.passed_over[HIDDEN] += 1
            return False
        suffix = Path(name).suffix.lower()
        if suffix in picture_suffixes():
            return True
        self.found.passed_over[suffix.removeprefix(".") or NO_SUFFIX] += 1
        return False

    def _unreadable(self, error: OSError) -> None:
        path = Path(error.filename)
        self.found.faults.append(Fault(path, f"cannot look into {path}: {error.strerror}"))

    def _match(self, pattern: str) -> Iterator[tuple[Path, PurePath]]:
        """What a pattern matches: files; of folders that match, their pictures."""
        base = Path(*_before_wildcard(Path(pattern)))
        for match in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207 - Path.glob refuses absolute patterns
            path = Path(match)
            if self.excluded is not None and self.excluded in (path.resolve(), *path.resolve().parents):
                continue
            if path.is_dir():
                if "**" not in pattern:  # ** gives the files inside by itself
                    yield from ((inside, inside.relative_to(base)) for inside in self._walk(path))
            elif self._is_picture(path.name) and not _lies_in_ours(path, base):
                yield path, path.relative_to(base)


def is_ours(files: Iterable[str]) -> bool:
    """Whether a folder of these files is one that ifseg wrote."""
    names = set(files)
    return any(names >= ours for ours in OUR_FOLDERS)


def _lies_in_ours(path: Path, base: Path) -> bool:
    """Whether a file that `**` matched lies in a folder that ifseg wrote, below `base`."""
    between = [folder for folder in path.parents if folder != base and base in folder.parents]
    return any(is_ours(each.name for each in folder.iterdir()) for folder in between)


def _nothing(found: Found) -> ImageError:
    """The one line for inputs without a picture: what is there instead."""
    message = "; ".join(fault.error for fault in found.faults[:3])
    if found.passed_over:
        message += f" (passed over: {told(found.passed_over)})"
    return ImageError(message, "a picture, a folder of pictures or a pattern")


def told(passed_over: Counter[str]) -> str:
    """`5 heic, 1 mp4, 2 hidden, 1 folder that ifseg wrote`: other kinds first, the most frequent first."""
    kinds = sorted(set(passed_over) - {HIDDEN, OURS}, key=lambda kind: (-passed_over[kind], kind))
    words = [f"{passed_over[kind]} {kind}" for kind in kinds]
    words += [f"{passed_over[HIDDEN]} {HIDDEN}"] if passed_over[HIDDEN] else []
    if count := passed_over[OURS]:
        words.append(f"{count} {OURS if count == 1 else OURS.replace('folder', 'folders')}")
    return ", ".join(words)


def _require_outside(given: Path, excluded: Path) -> None:
    resolved = given.resolve()
    if resolved == excluded or excluded in resolved.parents:
        raise OutputError(f"the input {given} lies in the output folder {excluded}", remedy="choose another --out")


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
