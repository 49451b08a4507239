"""Work that waits for disks, done in other threads while the network is busy."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from ifseg_cli.core.prediction.engine.manifest import Settled

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(work: Callable[[Item], Result], items: Iterable[Item | Settled], at_once: int) -> Iterator[Result | Settled]:
    """Results of `work` in the order of the items; what is settled is handed on as it is.

    Up to `at_once` items are worked on in threads of their own while the caller is busy with an earlier result; what is
    ready is given as soon as the next item is there. An error is raised where its result would have stood.

    Args:
        work: for one item; called in other threads.
        items: asked for in the caller's thread, so a generator of heavy work may stand here.
        at_once: items in the making, at most.
    """
    waiting: deque[Future[Result] | Settled] = deque()
    with ThreadPoolExecutor(at_once, thread_name_prefix="ifseg") as pool:
        try:
            for item in items:
                waiting.append(item if isinstance(item, Settled) else pool.submit(work, item))
                while waiting and (len(waiting) > at_once or _is_ready(waiting[0])):
                    yield _result(waiting.popleft())
            while waiting:
                yield _result(waiting.popleft())
        finally:
            for each in waiting:
                if isinstance(each, Future):
                    each.cancel()


def _is_ready(each: object) -> bool:
    return not isinstance(each, Future) or each.done()


def _result(each: Future[Result] | Settled) -> Result | Settled:
    return each.result() if isinstance(each, Future) else each
