"""A folder kept done as pictures arrive: it is looked at again and again, and what is new or has changed is a run.

Looking works on any disk, network folders too, where nobody tells what has changed. A picture that was written to a
moment ago is left for the next look: its writer may not have finished.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from ifseg_cli.core.images.sources import Fault, Found, Source
from ifseg_cli.core.prediction.engine.ledger import stamp
from ifseg_cli.core.prediction.engine.summary import Summary

SETTLED = 1.0  # seconds since the last change
INTERVAL = 1.0  # seconds between looks, at least
PATIENCE = 5  # times as long as a look took: a large folder is not looked at all the time
_NAP = 0.05  # seconds between questions whether to stop


def watch(found: Found, run: Callable[[Found], Summary], stopped: Callable[[], bool]) -> Summary:
    """Run for what is there, then for what comes, until `stopped`.

    Args:
        found: looks anew whenever it is iterated.
        run: does pictures and what an earlier run has done of them, as `predict_images`.
        stopped: asked between pictures and while nothing comes.

    Returns:
        What all runs came to.
    """
    done, failed = set[int](), set[int]()  # pictures as they were when a run dealt with them
    total: Summary | None = None
    while True:
        begin = time.perf_counter()
        news = total is None or any(map(_Look(done | failed).takes, found))
        if news:
            look = _Look(done)  # what failed is tried again beside what is new, so the run's failures are all there are
            summary = run(found.only(look.takes))
            total = summary if total is None else total.followed_by(summary)
            if not summary.interrupted:
                failed = {_key(Path(each.path)) for each in summary.failures}
                done |= look.taken - failed
        assert total is not None  # the first look is always a run
        if _stopped_within(max(INTERVAL, PATIENCE * (time.perf_counter() - begin) * (not news)), stopped):
            return total


class _Look:
    """One look at a folder: what of it is not known as it is now."""

    def __init__(self, known: set[int]) -> None:
        self.known, self.taken, self.now = known, set[int](), time.time()

    def takes(self, each: Source | Fault) -> bool:
        """Whether it is to be dealt with: not known, and not written to a moment ago."""
        key = _key(each.path)
        if key in self.known or 0 <= self.now - stamp(each.path)[1] / 1e9 < SETTLED:
            return False
        self.taken.add(key)
        return True


def _key(path: Path) -> int:
    return hash((str(path.absolute()), *stamp(path)))


def _stopped_within(seconds: float, stopped: Callable[[], bool]) -> bool:
    end = time.perf_counter() + seconds
    while not stopped():
        if time.perf_counter() >= end:
            return False
        time.sleep(_NAP)
    return True
