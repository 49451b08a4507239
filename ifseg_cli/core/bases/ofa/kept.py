"""Biases that are kept while the weights stay as they are: one grid's may be gigabytes, and few folders have one grid.

A base-size model on a picture of 512 x 683 pixels has twelve tables of 120 MB. Those of the grids used last are kept,
as long as they fit `ROOM` together. A grid whose tables alone are more (a panorama) keeps none: each is made when its
layer is reached, every time, so that one is there at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Generic, TypeVar, overload

from torch import Tensor

ROOM = 3 << 30  # bytes of all grids' biases together
T = TypeVar("T")


class MadeWhenAsked(Sequence[Tensor]):
    """Tables of which each is made when it is asked for, and forgotten after its use."""

    def __init__(self, count: int, make: Callable[[int], Tensor]) -> None:
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Tensor: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Tensor]: ...
    def __getitem__(self, index: int | slice) -> Tensor | Sequence[Tensor]:
        if isinstance(index, slice):
            return [self._make(each) for each in range(self._count)[index]]
        return self._make(range(self._count)[index])

    def __iter__(self) -> Iterator[Tensor]:
        return map(self._make, range(self._count))


class LastUsed(Generic[T]):
    """Values by key, the least recently used given up where all together are larger than the room."""

    def __init__(self, room: int = ROOM) -> None:
        self.room, self._values = room, OrderedDict[Hashable, tuple[T, int]]()

    def get(self, key: Hashable) -> T | None:
        """The value of a key; None where it is not kept."""
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key][0]

    def make_room(self, size: int) -> bool:
        """Give up values until one of `size` bytes fits, before it is made; whether it then does."""
        while self._values and sum(each for _, each in self._values.values()) + size > self.room:
            self._values.popitem(last=False)
        return size <= self.room

    def keep(self, key: Hashable, value: T, size: int) -> None:
        """Keep a value of `size` bytes for which there is room."""
        self._values[key] = (value, size)

    def forget(self) -> None:
        """Give up all."""
        self._values.clear()
