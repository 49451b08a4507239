"""Published data sets: where their files lie (`layouts.yaml`), and what their ids mean (`labels/*.json`).

    ifseg evaluate --dataset ade20k                     looked for under $IFSEG_DATA, ./data and .
    ifseg evaluate --dataset ade20k --root DIR          DIR is its published top folder

A root that is one folder too high or too low is found and named, not guessed at: what is read is what was said.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePath
from typing import Any

import yaml

from ifseg_cli.core.datasets.coco import CocoLabels
from ifseg_cli.core.datasets.dataset import Dataset, DatasetOptions, LabelReader, Sample
from ifseg_cli.core.datasets.panoptic import PanopticLabels
from ifseg_cli.core.errors import DatasetError, listed
from ifseg_cli.core.vocabulary.lists import ShippedList, shipped_list

PLACES = ("$IFSEG_DATA", "./data", ".")
STEM = "{stem}"


@dataclass(frozen=True)
class Tree:
    """One way in which images and labels lie below the top folder; patterns with `{stem}`."""

    images: str
    labels: str
    names: str | None = None  # the file that lists the samples
    segments: str | None = None  # of panoptic labels: the JSON that says what their segments are
    train_ids: bool = False  # labels hold indices, not raw ids
    annotations: tuple[str, ...] = ()  # COCO's JSON files, in place of label files, in the order they are painted


@dataclass(frozen=True)
class Layout:
    """A published data set."""

    name: str
    title: str
    home: str
    folders: tuple[str, ...]
    list: str
    split: str
    official: int
    trees: tuple[Tree, ...]
    ignore: tuple[int, ...]
    undeclared: str = "error"
    category_offset: int = 0
    unseen: str = ""  # the shipped list of its unseen classes, where zero-shot protocols have one

    @property
    def shipped(self) -> ShippedList:
        """Its category list."""
        return shipped_list(self.list)


@cache
def layouts() -> dict[str, Layout]:
    """Every published data set by name."""
    written: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return {name: _layout(name, values) for name, values in written.items()}


def _layout(name: str, values: dict[str, Any]) -> Layout:
    trees = tuple(_tree(tree) for tree in values.pop("trees"))
    lists = {key: tuple(values.pop(key)) for key in ("folders", "ignore")}
    return Layout(name=name, trees=trees, **lists, **values)


def _tree(values: dict[str, Any]) -> Tree:
    made: dict[str, Any] = {**values, "annotations": tuple(values.get("annotations", ()))}
    return Tree(**made)


def open_published(layout: Layout, options: DatasetOptions) -> Dataset:
    """Find a published data set's files.

    Raises:
        DatasetError: it is nowhere, or its tree is not as published; says what was looked for and where.
    """
    root = options.root if options.root is not None else _find(layout)
    tree = _tree_at(layout, root)
    reader = _reader(tree, root)
    samples = tuple(_samples(layout, tree, root, reader))
    if not samples:
        raise DatasetError(f"{root} has no labels like {tree.labels}", _told(layout), "unpack it as published")
    shipped = layout.shipped
    raw_ids = tuple(at if tree.train_ids else int(each["raw_id"]) for at, each in enumerate(shipped.entries))
    fine = [(raw, at) for at, each in enumerate(shipped.entries) for raw in each.get("fine_raw_ids", ())]
    return Dataset(
        name=layout.name,
        classes=tuple(category.name for category in shipped.categories),
        raw_ids=raw_ids,
        ignore=tuple(sorted({*(layout.ignore if options.ignore_usual else ()), *options.ignore})),
        samples=samples,
        classes_from=layout.list,
        value_of=tuple(fine),
        undeclared=options.undeclared or layout.undeclared,
        category_offset=layout.category_offset,
        labels=reader,
        sure_of_ignore=True,  # its makers say which values are no class
        official=layout.official,
    )


def _reader(tree: Tree, root: Path) -> LabelReader:
    if tree.annotations:
        return CocoLabels([root / name for name in tree.annotations])
    return LabelReader() if tree.segments is None else PanopticLabels(root / tree.segments)


def _find(layout: Layout) -> Path:
    """The top folder in its usual places."""
    tried: list[str] = []
    for place in PLACES:
        folder = os.environ.get("IFSEG_DATA") if place.startswith("$") else place
        if not folder:
            continue
        for name in layout.folders:
            if (path := Path(folder, name)).is_dir():
                return path
            tried.append(str(path))
    raise DatasetError(
        f"{layout.name} is nowhere: tried {listed(tried, 12)}",
        _told(layout),
        f"get it from {layout.home}, and say --root FOLDER or put it there",
    )


def _told(layout: Layout) -> str:
    """How the tree must look."""
    tree = layout.trees[0]
    return f"{layout.title}: {layout.folders[0]}/ with {tree.images} and {tree.labels}"


def _tree_at(layout: Layout, root: Path) -> Tree:
    """The tree that lies below `root`; a neighbour that fits is named."""
    if not root.is_dir():
        raise DatasetError(f"--root {root} {'is a file' if root.exists() else 'does not exist'}", _told(layout))
    found = _fitting(layout, root)
    if found is not None:
        return found
    near = [*(path for path in sorted(root.iterdir()) if path.is_dir()), root.absolute().parent]
    near += [root / name for name in layout.folders if (root / name).is_dir()]
    for path in near:
        if _fitting(layout, path) is not None:
            raise DatasetError(f"--root {root} is not the folder of {layout.name}", remedy=f"say --root {path}")
    missing = [f"{part}/" for part in _folders(layout.trees[0]) if not (root / part).is_dir()]
    raise DatasetError(f"--root {root} has no {listed(missing)}", _told(layout), f"get it from {layout.home}")


def _folders(tree: Tree) -> tuple[str, str]:
    """The fixed parts of both patterns."""
    images, labels = (PurePath(each.partition(STEM)[0] + "x").parent.as_posix() for each in (tree.images, tree.labels))
    return images, labels


def _fitting(layout: Layout, root: Path) -> Tree | None:
    """The first tree of which a label lies below `root`; one that has its images there too comes before others."""
    labelled = [tree for tree in layout.trees if _has_labels(root, tree)]
    whole = [tree for tree in labelled if (root / _folders(tree)[0]).is_dir()]
    return next(iter([*whole, *labelled]), None)


def _has_labels(root: Path, tree: Tree) -> bool:
    if tree.annotations:
        return all((root / name).is_file() for name in tree.annotations)
    return (root / _folders(tree)[1]).is_dir() and next(_matching(root, tree.labels), None) is not None


def _matching(root: Path, pattern: str) -> Iterator[tuple[str, Path]]:
    """Stems and files of a pattern, sub-folders included."""
    folder = root / PurePath(pattern.partition(STEM)[0] + "x").parent
    ending = pattern.partition(STEM)[2]
    for path in sorted(folder.rglob(f"*{ending}")):
        stem = path.relative_to(folder).as_posix().removesuffix(ending)
        if not any(part.startswith(".") for part in PurePath(stem).parts):
            yield stem, path


def _samples(layout: Layout, tree: Tree, root: Path, reader: LabelReader) -> Iterator[Sample]:
    if isinstance(reader, CocoLabels):
        labels = dict.fromkeys(sorted(reader.images), root / tree.annotations[0])
    else:
        labels = dict(_matching(root, tree.labels))
    stems = _listed_stems(root, tree, labels)
    if absent := [stem for stem in stems if stem not in labels]:
        found = f"{len(absent)} of the {len(stems)} names in {tree.names} have no label: {listed(absent)}"
        raise DatasetError(found, f"a label like {tree.labels} for each", f"unpack all of {layout.name}")
    for stem in stems:
        image = root / tree.images.replace(STEM, stem)
        yield Sample(stem, labels[stem], image if image.is_file() else None)


def _listed_stems(root: Path, tree: Tree, labels: dict[str, Path]) -> Sequence[str]:
    """The samples that the data set's own list names, in its order; all labels where it has none."""
    if tree.names is None or not (root / tree.names).is_file():
        return sorted(labels)
    lines = (root / tree.names).read_text(encoding="utf-8").splitlines()
    return [PurePath(line.split()[0]).stem for line in lines if line.strip()]
