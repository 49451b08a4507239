"""Data sets by name. A new one: its own small file, and one line here."""

from __future__ import annotations

from collections.abc import Callable

from ifseg_cli.core.datasets.dataset import Dataset, DatasetOptions
from ifseg_cli.core.datasets.folder import open_folder
from ifseg_cli.core.errors import DatasetError

DATASETS: dict[str, Callable[[DatasetOptions], Dataset]] = {
    "folder": open_folder,
}


def open_dataset(name: str, options: DatasetOptions) -> Dataset:
    """Find a data set's files and names; nothing is decoded.

    Raises:
        DatasetError: there is none of that name, or its files are not where they should be.
        CategoryError: its classes cannot be read.
    """
    if name not in DATASETS:
        raise DatasetError(f"data set '{name}' is not known", f"one of {', '.join(DATASETS)}", "say --dataset folder")
    return DATASETS[name](options)
