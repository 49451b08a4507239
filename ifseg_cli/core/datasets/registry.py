"""Data sets by name. A new one: its own small file, and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ifseg_cli.core.datasets.dataset import Dataset, DatasetOptions
from ifseg_cli.core.datasets.folder import open_folder
from ifseg_cli.core.datasets.scenes.files import open_scenes
from ifseg_cli.core.errors import DatasetError


@dataclass(frozen=True)
class Entry:
    """How a data set is opened, and which of `DatasetOptions` it reads; any other that is given is refused."""

    open: Callable[[DatasetOptions], Dataset]
    reads: tuple[str, ...]


DATASETS: dict[str, Entry] = {
    "folder": Entry(open_folder, ("images", "labels", "classes", "ignore")),
    "scenes": Entry(open_scenes, ("root", "count", "seed")),
}
CHOICES = ("images", "labels", "classes", "ignore", "root", "count", "seed")  # what a user can give, in all


def open_dataset(name: str, options: DatasetOptions) -> Dataset:
    """Find a data set's files and names; nothing is decoded, nothing written.

    Raises:
        DatasetError: there is none of that name, it has no such option, or its files are not where they should be.
        CategoryError: its classes cannot be read.
    """
    if name not in DATASETS:
        raise DatasetError(f"data set '{name}' is not known", f"one of {', '.join(DATASETS)}", "say --dataset folder")
    entry = DATASETS[name]
    for option in CHOICES:
        if option not in entry.reads and getattr(options, option) not in (None, ()):
            expected = ", ".join(f"--{each}" for each in entry.reads)
            raise DatasetError(f"--{option} with --dataset {name}", f"only {expected}", "leave it out")
    return entry.open(options)
