"""Pictures of one prepared size go through the network together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ifseg_cli.core.prediction.engine.job import Answered, Job, Opened
from ifseg_cli.core.prediction.engine.manifest import Settled

WAITING = 4  # batches' worth of others that a picture waits for its like, at most


def answered(
    job: Job, opened: Iterable[Opened | Settled], size: int, stopped: Callable[[], bool]
) -> Iterator[Answered | Settled]:
    """Answers to pictures, `size` of one shape at a time where so many come; all else is handed on at once.

    With `size` 1 the order is kept. With more, a picture waits for its like, but never for more than `WAITING * size`
    others. Ends early, between two batches, when `stopped`.
    """
    groups: dict[tuple[int, ...], list[Opened]] = {}
    since: dict[tuple[int, ...], int] = {}  # shape -> number of the picture that opened its group; the oldest first
    for number, each in enumerate(opened):
        if stopped():
            return
        if isinstance(each, Settled):
            yield each
            continue
        shape = each.shape
        groups.setdefault(shape, []).append(each)
        since.setdefault(shape, number)
        oldest = next(iter(since))
        if len(groups[shape]) < size:
            if number - since[oldest] < WAITING * size:
                continue
            shape = oldest
        del since[shape]
        yield from job.answer(groups.pop(shape))
    for group in groups.values():
        if stopped():
            return
        yield from job.answer(group)
