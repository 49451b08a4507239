"""Results come in order, work is done ahead but never far ahead, and errors stand where their results would have."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from ifseg_cli.core.prediction.engine.manifest import Failure, Settled
from ifseg_cli.core.prediction.engine.overlap import ahead

SETTLED = Settled(Failure("a", "/a", "broken"))


def test_order_is_kept_and_what_is_settled_passes() -> None:
    def slowly(number: int) -> int:
        time.sleep(0.02 if number % 2 else 0)
        return number * 10

    assert list(ahead(slowly, [1, SETTLED, 2, 3, SETTLED], 2)) == [10, SETTLED, 20, 30, SETTLED]


def test_it_works_ahead_but_not_far() -> None:
    begun: list[int] = []
    gate = threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        gate.wait(5)
        return number

    def items() -> Iterator[int]:
        for number in range(100):
            if number == 2:  # asked for while none is ready: two are in the making
                time.sleep(0.05)
                assert sorted(begun) == [0, 1]
                gate.set()
            yield number

    results = ahead(work, items(), 2)
    assert next(results) == 0 and max(begun) < 4
    assert list(results) == list(range(1, 100))


def test_work_is_done_beside_the_caller() -> None:
    threads: set[int] = set()

    def work(number: int) -> int:
        threads.add(threading.get_ident())
        return number

    assert list(ahead(work, range(20), 2)) == list(range(20))
    assert threading.get_ident() not in threads


def test_an_error_comes_after_what_went_well() -> None:
    def work(number: int) -> int:
        if number == 2:
            raise OSError("disk")
        return number

    results = ahead(work, range(5), 2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(OSError, match="disk"):
        next(results)


def test_one_who_leaves_early_waits_for_nothing_else() -> None:
    done: list[int] = []
    results = ahead(lambda number: done.append(number) or number, iter(range(1000)), 2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(done) < 10
