"""Data sets by name. A published one is an entry of layouts.yaml; another kind, its own small file and a line here."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ifseg_cli.core.datasets.dataset import Dataset, DatasetOptions
from ifseg_cli.core.datasets.folder import class_names, open_folder
from ifseg_cli.core.datasets.layouts import layouts, open_published
from ifseg_cli.core.datasets.scenes import open_scenes
from ifseg_cli.core.errors import DatasetError
from ifseg_cli.scenes.categories import CATEGORIES


@dataclass(frozen=True)
class Entry:
    """How a data set is opened, and which of `DatasetOptions` it reads; any other that is given is refused.

    `open` takes the options, the folder that a data set is made in unless they say otherwise, and what is called after
    each sample that is made.
    """

    names: Callable[[DatasetOptions], tuple[str, ...]]
    open: Callable[[DatasetOptions, Path | None, Callable[[], None]], Dataset]
    reads: tuple[str, ...]


DATASETS: dict[str, Entry] = {
    "folder": Entry(class_names, open_folder, ("images", "labels", "classes", "ignore")),
    "scenes": Entry(lambda _: CATEGORIES, open_scenes, ("root", "count", "seed")),
}
OF_PUBLISHED = ("root", "ignore")  # what a published data set reads
CHOICES = ("images", "labels", "classes", "ignore", "root", "count", "seed")  # what a user can give, in all


def dataset_names(name: str, options: DatasetOptions) -> tuple[str, ...]:
    """The names of a data set's classes, before its files are looked for.

    Raises:
        DatasetError: there is none of that name, or it has no such option.
        CategoryError: its classes cannot be read.
    """
    return _entry(name, options).names(options)


def open_dataset(
    name: str, options: DatasetOptions, made: Path | None = None, on_sample: Callable[[], None] = lambda: None
) -> Dataset:
    """Find a data set's files; one that is drawn is drawn here, what is missing of it.

    Args:
        name: of the data set.
        options: where it lies, and what its ids mean.
        made: where a drawn one goes unless the options say otherwise.
        on_sample: called after each sample that is drawn.

    Raises:
        DatasetError: there is none of that name, it has no such option, or its files are not where they should be.
        CategoryError: its classes cannot be read.
        OutputError: what is drawn cannot be written.
    """
    return _entry(name, options).open(options, made, on_sample)


def adapt_command(name: str, options: DatasetOptions) -> str:
    """The command that adapts a model to a data set's names."""
    if name in layouts():
        return f"ifseg adapt --categories {layouts()[name].list}"
    return f"ifseg adapt --categories {options.classes or name}"


def names_of_datasets() -> tuple[str, ...]:
    """Every data set by name."""
    return (*DATASETS, *layouts())


def _entry(name: str, options: DatasetOptions) -> Entry:
    if name in layouts():
        layout = layouts()[name]
        names = tuple(category.name for category in layout.shipped.categories)
        entry = Entry(lambda _: names, lambda given, _made, _on: open_published(layout, given), OF_PUBLISHED)
    elif name in DATASETS:
        entry = DATASETS[name]
    else:
        near = difflib.get_close_matches(name, names_of_datasets(), 1)
        remedy = f"did you mean {near[0]}?" if near else "say --dataset folder for a pair of folders"
        raise DatasetError(f"data set '{name}' is not known", f"one of {', '.join(names_of_datasets())}", remedy)
    for option in CHOICES:
        if option not in entry.reads and getattr(options, option) not in (None, ()):
            expected = ", ".join(f"--{each}" for each in entry.reads)
            raise DatasetError(f"--{option} with --dataset {name}", f"only {expected}", "leave it out")
    return entry
