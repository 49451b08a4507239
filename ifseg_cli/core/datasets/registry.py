"""Data sets by name. A published one is an entry of layouts.yaml; another kind, its own small file and a line here."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

from ifseg_cli.core.datasets.dataset import UNDECLARED, Dataset, DatasetOptions
from ifseg_cli.core.datasets.folder import folder_categories, open_folder
from ifseg_cli.core.datasets.layouts import layouts, open_published
from ifseg_cli.core.datasets.scenes import open_scenes
from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.vocabulary.category import Category
from ifseg_cli.core.vocabulary.lists import shipped_list


@dataclass(frozen=True)
class Entry:
    """How a data set is opened, and which of `DatasetOptions` it reads; any other that is given is refused.

    `open` takes the options, the folder that a data set is made in unless they say otherwise, and what is called after
    each sample that is made.
    """

    categories: Callable[[DatasetOptions], tuple[Category, ...]]
    open: Callable[[DatasetOptions, Path | None, Callable[[], None]], Dataset]
    reads: tuple[str, ...]


DATASETS: dict[str, Entry] = {
    "folder": Entry(
        folder_categories,
        open_folder,
        ("images", "labels", "classes", "ignore", "ignore_usual", "undeclared", "label_map"),
    ),
    "scenes": Entry(lambda _: shipped_list("scenes").categories, open_scenes, ("root", "count", "seed")),
}
OF_PUBLISHED = ("root", "ignore", "ignore_usual", "undeclared", "label_map")  # what a published data set reads


def dataset_categories(name: str, options: DatasetOptions) -> tuple[Category, ...]:
    """A data set's classes, before its files are looked for.

    Raises:
        DatasetError: there is none of that name, or it has no such option.
        CategoryError: its classes cannot be read.
    """
    return _entry(name, options).categories(options)


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


def unseen_list(name: str) -> str:
    """The shipped list of a data set's unseen classes; empty where zero-shot protocols have none for it."""
    return layouts()[name].unseen if name in layouts() else ""


def names_of_datasets() -> tuple[str, ...]:
    """Every data set by name."""
    return (*DATASETS, *layouts())


def _spelled(option: str) -> str:
    """An option as it is written on the command line."""
    return "--ignore" if option == "ignore_usual" else f"--{option.replace('_', '-')}"


def _entry(name: str, options: DatasetOptions) -> Entry:
    if name in layouts():
        layout = layouts()[name]
        classes = layout.shipped.categories
        entry = Entry(lambda _: classes, lambda given, _made, _on: open_published(layout, given), OF_PUBLISHED)
    elif name in DATASETS:
        entry = DATASETS[name]
    else:
        near = difflib.get_close_matches(name, names_of_datasets(), 1)
        remedy = f"did you mean {near[0]}?" if near else "say --dataset folder for a pair of folders"
        raise DatasetError(f"data set '{name}' is not known", f"one of {', '.join(names_of_datasets())}", remedy)
    if options.undeclared not in (None, *UNDECLARED):
        raise DatasetError(f"--undeclared {options.undeclared}", f"one of {', '.join(UNDECLARED)}")
    for option in fields(options):
        if option.name not in entry.reads and getattr(options, option.name) != option.default:
            expected = ", ".join(dict.fromkeys(_spelled(each) for each in entry.reads))
            raise DatasetError(f"{_spelled(option.name)} with --dataset {name}", f"only {expected}", "leave it out")
    return entry
