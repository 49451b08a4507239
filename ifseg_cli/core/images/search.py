"""Which pictures are meant, and what was passed over.

An input is a file, a folder or a pattern. A folder is read with all its sub-folders; what it holds keeps its place in
the output. Symbolic links are followed once. In a folder only files with a picture's suffix are read; a file named by
the user is always read. Passed over, and counted: hidden files and folders, files of other kinds, and folders that
ifseg wrote itself (models, masks, samples, reports), which are known by what they hold.

What cannot be looked at (a folder without permission, an input that matches nothing beside others that do) is a fault
of its own: listed, and the rest is done.

One folder is listed as it is read, so the first picture of a million is there at once; several inputs are listed before
the first, since their names have to be told apart (`naming.py`).
"""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from ifseg_cli.core.errors import ImageError, OutputError
from ifseg_cli.core.images.naming import keep_suffix, told_apart, without_suffix
from ifseg_cli.core.images.opening import picture_suffixes
from ifseg_cli.core.images.sources import HIDDEN, NO_SUFFIX, OURS, Fault, Found, Source, told

# What a folder that ifseg wrote holds, whichever of these it is: not photographs, whatever their suffix.
OUR_FOLDERS: tuple[frozenset[str], ...] = (
    frozenset({"config.json", "model.safetensors"}),  # a base or a model, with its loss curve
    frozenset({"classes.json", "predictions.jsonl"}),  # masks, overlays, thumbnails
    frozenset({"classes.json", "provenance.json"}),  # the same, of shards
    frozenset({"sheet.png", "samples.safetensors"}),  # artificial images
    frozenset({"report.json", "report.md"}),  # an evaluation
    frozenset({"comparison.json", "comparison.md"}),  # of several systems
    frozenset({"scenes.json"}),  # drawn scenes, with their labels
)
OUR_FILES = frozenset[str]().union(*OUR_FOLDERS)


def find_images(inputs: Sequence[str | Path], exclude: Path | None = None, may_be_none: bool = False) -> Found:
    """All pictures that `inputs` (files, folders, patterns) name, each once.

    Args:
        inputs: in the order of the command line.
        exclude: the output folder; what lies in it is not read.
        may_be_none: pictures may come later.

    Raises:
        ImageError: not one picture was found, and it may not be so.
        OutputError: an input that lies inside the output folder.
    """
    excluded = exclude.resolve() if exclude is not None else None
    for given in inputs:
        if excluded is not None and Path(given).exists():
            _require_outside(Path(given), excluded)
    if len(inputs) == 1 and Path(inputs[0]).is_dir():
        folder = Path(inputs[0])
        found = Found(lambda passed_over: _Search(excluded, passed_over).walk(folder))
    else:
        found = Found(lambda passed_over: _Search(excluded, passed_over).several(inputs))
    if not may_be_none and not found.has_pictures():
        raise _nothing(found, inputs)
    return found


@dataclass(frozen=True)
class _Folder:
    """A sub-folder to be looked into."""

    path: Path
    name: PurePath


class _Search:
    """Looks into folders, and keeps what several inputs name."""

    def __init__(self, excluded: Path | None, passed_over: Counter[str]) -> None:
        self.excluded, self.passed_over = excluded, passed_over
        self.paths: dict[Path, PurePath] = {}  # each once, by its own name: no symbolic link resolved
        self.faults: list[Fault] = []

    def add(self, given: str) -> None:
        """Take one input; one that gives nothing is a fault."""
        before, faults, again = len(self.paths), len(self.faults), False
        for path, name in self._expand(given):
            key = Path(os.path.abspath(path))  # noqa: PTH100 - `resolve` would follow links
            again |= key in self.paths
            self.paths.setdefault(key, name)
        if len(self.paths) == before and not again and len(self.faults) == faults:
            self.faults.append(_no_picture(given))

    def several(self, inputs: Sequence[str | Path]) -> Iterator[Source | Fault]:
        """All of several inputs, listed before the first is given; faults first."""
        for given in inputs:
            self.add(str(given))
        names = told_apart(self.paths)
        outputs = without_suffix(names.values())
        yield from self.faults
        for path, name in sorted(names.items(), key=lambda item: (item[1].parts, str(item[0]))):
            yield Source(path, name, outputs[name])

    def _expand(self, given: str) -> Iterator[tuple[Path, PurePath]]:
        """Pairs of a picture's path and its name below the input."""
        path = Path(given)
        if path.is_dir():
            yield from self._pictures(path, PurePath())
        elif os.path.lexists(path):  # before patterns: a file may be called a[1].jpg; a dangling link is told when read
            yield path, PurePath(path.name)
        else:
            yield from self._match(given)

    def _pictures(self, folder: Path, below: PurePath) -> Iterator[tuple[Path, PurePath]]:
        for each in self.walk(folder):
            if isinstance(each, Fault):
                self.faults.append(each)
            else:
                yield each.path, below / each.name

    def walk(self, folder: Path) -> Iterator[Source | Fault]:
        """Pictures of a folder and its sub-folders, by name; a folder reached twice through links is read once."""
        visited: set[str] = set()
        stack: list[Iterator[Source | Fault | _Folder]] = [iter([_Folder(folder, PurePath())])]
        while stack:  # no recursion: folders lie in folders as deep as people like
            each = next(stack[-1], None)
            if each is None:
                stack.pop()
            elif not isinstance(each, _Folder):
                yield each
            elif (real := os.path.realpath(each.path)) not in visited and not self._is_out(real):
                visited.add(real)
                stack.append(self._inside(each))

    def _inside(self, folder: _Folder) -> Iterator[Source | Fault | _Folder]:
        """What one folder holds; its own names settle what its results are called."""
        pictures: list[str] = []
        folders, links = set[str](), set[str]()
        ours = set[str]()
        passed = Counter[str]()
        try:
            with os.scandir(folder.path) as entries:
                for entry in entries:
                    if entry.name in OUR_FILES:
                        ours.add(entry.name)
                    is_folder = _is_folder(entry)
                    kind = HIDDEN if entry.name.startswith(".") else "" if is_folder else _kind(entry.name)
                    if kind:
                        passed[kind] += 1
                    elif is_folder:
                        folders.add(entry.name)
                    else:
                        pictures.append(entry.name)
                        if entry.is_symlink():
                            links.add(entry.name)
        except OSError as error:
            yield Fault(folder.path, f"cannot look into {folder.path}: {error.strerror}")
            return
        if is_ours(ours):
            self.passed_over[OURS] += 1
            return
        self.passed_over.update(passed)
        kept = keep_suffix(pictures)
        for name in sorted([*pictures, *folders]):
            path = folder.path / name
            if name in folders:
                yield _Folder(path, folder.name / name)
            elif name in links and self._is_out(os.path.realpath(path)):
                yield Fault(path, f"{path} leads into the output folder {self.excluded}")
            else:
                yield Source(path, folder.name / name, folder.name / (name if name in kept else PurePath(name).stem))

    def _is_out(self, real: str) -> bool:
        """Whether a path without links is, or lies in, the output folder."""
        return self.excluded is not None and self.excluded in (Path(real), *Path(real).parents)

    def _match(self, pattern: str) -> Iterator[tuple[Path, PurePath]]:
        """What a pattern matches: files; of folders that match, their pictures."""
        base = Path(*_before_wildcard(Path(pattern)))
        for match in sorted(glob.glob(pattern, recursive=True)):  # noqa: PTH207 - Path.glob refuses absolute patterns
            path = Path(match)
            if self._is_out(os.path.realpath(path)):
                continue
            if path.is_dir():
                if "**" not in pattern:  # ** gives the files inside by itself
                    yield from self._pictures(path, path.relative_to(base))
            elif kind := HIDDEN if path.name.startswith(".") else _kind(path.name):
                self.passed_over[kind] += 1
            elif not _lies_in_ours(path, base):
                yield path, path.relative_to(base)


def _kind(name: str) -> str:
    """What kind of file is passed over: its suffix without the dot; empty for a picture."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - a million names, and a Path takes ten times as long
    return "" if suffix in picture_suffixes() else suffix.removeprefix(".") or NO_SUFFIX


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle: told when it is read
        return False


def _no_picture(given: str | Path) -> Fault:
    return Fault(Path(given), f"no picture found at {given}")


def is_ours(files: Iterable[str]) -> bool:
    """Whether a folder of these files is one that ifseg wrote."""
    names = set(files)
    return any(names >= ours for ours in OUR_FOLDERS)


def _lies_in_ours(path: Path, base: Path) -> bool:
    """Whether a file that `**` matched lies in a folder that ifseg wrote, below `base`."""
    between = [folder for folder in path.parents if folder != base and base in folder.parents]
    return any(is_ours(each.name for each in folder.iterdir()) for folder in between)


def _nothing(found: Found, inputs: Sequence[str | Path]) -> ImageError:
    """The one line for inputs without a picture: what is there instead."""
    faults = found.faults or tuple(_no_picture(given) for given in inputs)
    message = "; ".join(fault.error for fault in faults[:3])
    if found.passed_over:
        message += f" (passed over: {told(found.passed_over)})"
    return ImageError(message, "a picture, a folder of pictures or a pattern")


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
