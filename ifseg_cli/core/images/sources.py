"""A picture to be read, and what inputs come to: values that travel from the search to the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePath

HIDDEN, OURS = "hidden", "folder that ifseg wrote"
NO_SUFFIX = "without suffix"

Walk = Callable[[Counter[str]], Iterator["Source | Fault"]]  # counts what it passes over


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

    @property
    def name(self) -> PurePath:
        """What it is known by."""
        return self.path


class Found:
    """What the inputs come to: iterating gives every picture and every fault, in the order of their names, each time
    anew.

    Attributes:
        passed_over: kind (a suffix without its dot, or one of the constants above) -> how many, as far as the last
            iteration has come.
    """

    def __init__(self, walk: Walk) -> None:
        self._walk, self.passed_over = walk, Counter[str]()
        self._begun: Iterator[Source | Fault] | None = None

    @classmethod
    def of(cls, sources: Sequence[Source]) -> Found:
        """Pictures that are known already."""
        return cls(lambda _: iter(sources))

    def __iter__(self) -> Iterator[Source | Fault]:
        if self._begun is not None:
            begun, self._begun = self._begun, None
            return begun
        self.passed_over = Counter[str]()
        return self._walk(self.passed_over)

    def has_pictures(self) -> bool:
        """Whether there is one; what was listed to know that is not listed again by the next iteration."""
        head: list[Source | Fault] = []
        rest = iter(self)
        for each in rest:
            head.append(each)
            if isinstance(each, Source):
                self._begun = chain(head, rest)
                return True
        return False

    def only(self, takes: Callable[[Source | Fault], bool]) -> Found:
        """Those that are taken."""
        some = Found(lambda passed_over: filter(takes, self._walk(passed_over)))
        if self._begun is not None:
            some._begun, some.passed_over = filter(takes, self._begun), self.passed_over
            self._begun = None
        return some

    def count(self) -> int:
        """How many pictures and faults there are: lists them all, and keeps none."""
        return sum(1 for _ in self._walk(Counter[str]()))

    @property
    def sources(self) -> tuple[Source, ...]:
        """All pictures at once, where they are few."""
        return tuple(each for each in self if isinstance(each, Source))

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All that could not be looked at."""
        return tuple(each for each in self if isinstance(each, Fault))


def told(passed_over: Counter[str]) -> str:
    """`5 heic, 1 mp4, 2 hidden, 1 folder that ifseg wrote`: other kinds first, the most frequent first."""
    kinds = sorted(set(passed_over) - {HIDDEN, OURS}, key=lambda kind: (-passed_over[kind], kind))
    words = [f"{passed_over[kind]} {kind}" for kind in kinds]
    words += [f"{passed_over[HIDDEN]} {HIDDEN}"] if passed_over[HIDDEN] else []
    if count := passed_over[OURS]:
        words.append(f"{count} {OURS if count == 1 else OURS.replace('folder', 'folders')}")
    return ", ".join(words)
