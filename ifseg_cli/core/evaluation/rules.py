"""How masks are judged: what a user can say about it, checked before anything is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.evaluation.definitions import find_definition

MATCHES = ("hungarian",)
WORKERS = 64


@dataclass(frozen=True)
class Rules:
    """The rules of one evaluation.

    Args:
        definition: the averaging rule, by name.
        protocol: which classes compete, by name (`protocols.py`).
        unseen: the classes that a zero-shot protocol holds back: a category file or shipped list; None: the data set's.
        class_map: what a system's values or names are among the classes: system ("" for all) -> file.
        swap_vocabulary: give the model the data set's names at prediction.
        match: how nameless clusters find their classes.
        boundary: count Boundary IoU too.
        resize: bring masks of another size to their label's; nearest, so that ids stay ids.
        workers: images read at once.
    """

    definition: str = "mmseg"
    protocol: str = "standard"
    unseen: str | None = None
    class_map: tuple[tuple[str, Path], ...] = ()
    swap_vocabulary: bool = False
    match: str | None = None
    boundary: bool = True
    resize: bool = False
    workers: int = 1

    def require_sane(self) -> None:
        """Compare what was said with what can be.

        Raises:
            DatasetError: a name nobody knows, a number out of range, or two that exclude each other.
        """
        find_definition(self.definition)
        if self.match not in (None, *MATCHES):
            raise DatasetError(f"--match {self.match}", f"one of {', '.join(MATCHES)}")
        if not 1 <= self.workers <= WORKERS:
            raise DatasetError(f"--workers {self.workers}", f"1 to {WORKERS}")
        if self.match and self.class_map:
            raise DatasetError("both --match and --class-map", "one of them", "clusters that have names need no match")
        if self.swap_vocabulary and self.class_map:
            raise DatasetError("both --swap-vocabulary and --class-map", "one of them", "they are two protocols")
