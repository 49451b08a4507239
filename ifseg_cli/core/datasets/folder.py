"""Any pair of folders, images and labels, with a category file that says what the ids mean.

- An image and its label have the same path below their folders, suffixes apart: `a/b.jpg` and `a/b.png`.
- The category file is that of `ifseg adapt`: line number = id, or a raw id in front of every name.
- A label map says otherwise: lines of VALUE = CLASS, several values for one class, - for values that are dropped.
- Ignored are 255 (65535 where ids need 16 bits) and what the user adds.
- Images may be left out where only masks are judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ifseg_cli.core.datasets.class_map import read_class_map
from ifseg_cli.core.datasets.dataset import MAX_CLASSES, Dataset, DatasetOptions, Sample
from ifseg_cli.core.errors import DatasetError, listed
from ifseg_cli.core.images.classes import CLASSES
from ifseg_cli.core.images.opening import picture_suffixes
from ifseg_cli.core.vocabulary import Category, ignore_value, read_categories

PREDICTIONS = "predictions*.jsonl"  # the lists of `ifseg predict`, of a run or of its shards
LABEL_SUFFIXES = frozenset({".png", ".tif", ".tiff", ".bmp", ".gif", ".jpg", ".jpeg"})  # JPEG: to refuse it by name


def folder_categories(options: DatasetOptions) -> tuple[Category, ...]:
    """The classes.

    Raises:
        DatasetError: `labels` or `classes` is missing, or the classes cannot be told apart.
        CategoryError: the classes cannot be read.
    """
    return _classes(options)[0]


def open_folder(options: DatasetOptions, _made: Path | None = None, _on_sample: object = None) -> Dataset:
    """Pair the files of two folders; nothing is made.

    Raises:
        DatasetError: a folder or option is missing, a file has no partner, or an ignored value is a class.
        CategoryError: the classes cannot be read.
    """
    categories, labels, source = _classes(options)
    names = tuple(category.name for category in categories)
    raw_ids = tuple(at if each.raw_id is None else each.raw_id for at, each in enumerate(categories))
    value_of, dropped = _mapped(options.label_map, names, source)
    return Dataset(
        name="folder",
        classes=names,
        raw_ids=raw_ids,
        value_of=value_of,
        ignore=tuple(sorted({*_ignored(options, raw_ids), *dropped} - {value for value, _ in value_of})),
        samples=_pair(options.images, labels),
        classes_from=source,
        sure_of_ignore=bool(options.ignore),
        undeclared=options.undeclared or "error",
    )


def _classes(options: DatasetOptions) -> tuple[tuple[Category, ...], Path, str]:
    """The classes, the folder of labels, and where the classes stand."""
    if options.labels is None or options.classes is None:
        missing = "--labels" if options.labels is None else "--classes"
        raise DatasetError(f"{missing} is missing", remedy="--dataset folder needs --images, --labels and --classes")
    categories = read_categories(options.classes)
    if len(categories) > MAX_CLASSES:
        raise DatasetError(f"{options.classes} has {len(categories)} classes", f"at most {MAX_CLASSES}")
    _require_distinct(tuple(category.name for category in categories), options.classes)
    return categories, options.labels, options.classes


def _ignored(options: DatasetOptions, raw_ids: tuple[int, ...]) -> tuple[int, ...]:
    """The ignored values of the label files, sorted; 65535 is never a class (category files end at 65534)."""
    for value in options.ignore:
        if not 0 <= value <= 65535:
            raise DatasetError(f"--ignore {value}", "a value from 0 to 65535")
    usual = (ignore_value(raw_ids), 65535) if options.ignore_usual else ()
    return tuple(sorted({*usual, *options.ignore}))


def _mapped(
    path: Path | None, names: tuple[str, ...], source: str
) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
    """(value, class) of every line of a label map, and the values that are no class; nothing without a map."""
    if path is None:
        return (), ()
    lines = read_class_map(path, "--label-map")
    lines.join((), "the labels, whose values have no names", names, source)
    values = lines.values()
    known = tuple((value, names.index(name)) for value, name in values.items() if name is not None)
    return known, tuple(value for value, name in values.items() if name is None)


def _require_distinct(names: tuple[str, ...], source: str) -> None:
    """Numbers are told apart by name, so two classes may not share one."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DatasetError(f"{source} names {listed(twice)} twice", "different names for different classes")


def _pair(images: Path | None, labels: Path) -> tuple[Sample, ...]:
    """Samples sorted by stem; everything that has no partner is named."""
    _require_folder(labels, "--labels")
    if any(labels.glob(PREDICTIONS)) and (labels / CLASSES).is_file():
        raise DatasetError(
            f"--labels {labels} is what ifseg predict wrote", "labels that somebody drew", "swap the two"
        )
    if images is None:
        truths = _by_stem(_files(labels, LABEL_SUFFIXES, None), labels)
        return tuple(Sample(stem, path) for stem, path in sorted(_not_empty(truths, labels, "label").items()))
    _require_folder(images, "--images")
    if images.resolve() == labels.resolve():
        raise DatasetError(f"--images and --labels are both {images}", "two folders", "keep labels in their own folder")
    truths = _not_empty(_by_stem(_files(labels, LABEL_SUFFIXES, images), labels), labels, "label")
    pictures = _not_empty(_by_stem(_files(images, picture_suffixes(), labels), images), images, "picture")
    alone = [truths[stem].relative_to(labels).as_posix() for stem in sorted(truths.keys() - pictures.keys())]
    if alone:
        found = f"{len(alone)} of {len(truths)} labels in {labels} have no image in {images}: {listed(alone)}"
        raise DatasetError(
            found, "a/b.jpg beside a/b.png", "rename or move them, or leave --images out with --predictions"
        )
    bare = [pictures[stem].relative_to(images).as_posix() for stem in sorted(pictures.keys() - truths.keys())]
    if bare:
        found = f"{len(bare)} of {len(pictures)} images in {images} have no label in {labels}: {listed(bare)}"
        raise DatasetError(found, "a label for every image", "move those images away, or add their labels")
    return tuple(Sample(stem, truths[stem], pictures[stem]) for stem in sorted(truths))


def _require_folder(path: Path, option: str) -> None:
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise DatasetError(f"{option} {path} {what}", "a folder")


def _not_empty(files: dict[str, Path], folder: Path, what: str) -> dict[str, Path]:
    if not files:
        raise DatasetError(f"{folder} holds no {what}", f"at least one {what} file, sub-folders included")
    return files


def _by_stem(files: Iterable[Path], folder: Path) -> dict[str, Path]:
    """Path below the folder without suffix -> file; two files of one stem are refused."""
    found: dict[str, Path] = {}
    for path in files:
        stem = path.relative_to(folder).with_suffix("").as_posix()
        if stem in found:
            clash = f"{found[stem].name} and {path.name} in {path.parent} differ only in their suffix"
            raise DatasetError(clash, "one file of each name", "move one of them away")
        found[stem] = path
    return found


def _files(folder: Path, suffixes: frozenset[str], exclude: Path | None) -> Iterator[Path]:
    """Files of these suffixes below `folder`, sorted; hidden ones and those below `exclude` are passed over."""
    excluded = exclude.resolve() if exclude is not None and exclude.resolve() != folder.resolve() else None
    for path in sorted(folder.rglob("*")):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        nested = excluded is not None and folder.resolve() in excluded.parents and excluded in path.resolve().parents
        if path.suffix.lower() in suffixes and path.is_file() and not nested:
            yield path
