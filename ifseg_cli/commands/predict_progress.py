"""While `ifseg predict` works: how many pictures there are, the bar, and what fails as it fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ifseg_cli.commands import console

PATIENCE = 0.5  # seconds that the first line waits for the number of pictures

if TYPE_CHECKING:
    from rich.progress import TaskID

    from ifseg_cli.core.images.sources import Found
    from ifseg_cli.core.prediction.engine.manifest import Failure, Record
    from ifseg_cli.core.prediction.engine.summary import Summary
    from ifseg_cli.core.prediction.run import PredictionRun


class Count:
    """How many pictures there are, found out beside the work: a million are listed while the first are done."""

    def __init__(self, found: Found) -> None:
        self.total: int | None = None
        self._thread = threading.Thread(target=self._count, args=(found,), daemon=True)
        self._thread.start()

    def _count(self, found: Found) -> None:
        with suppress(OSError):  # a folder that vanishes is the run's to tell
            self.total = found.count()

    def told(self) -> str:
        """`13 pictures`, or that their number is not known yet."""
        from ifseg_cli.core.errors import counted

        self._thread.join(PATIENCE)
        return "pictures without end in sight" if self.total is None else counted(self.total, "picture")


def carry_out(
    run: PredictionRun, count: Count, watch: bool, tell: Callable[[Record | Failure], None] | None
) -> Summary:
    """Segment and write, with a bar; where the folder is watched, until the user has enough.

    Args:
        run: what was prepared.
        count: how many pictures there are.
        watch: wait for more.
        tell: called with every picture's line, if anybody wants to hear.
    """
    from rich.markup import escape

    from ifseg_cli.core.errors import shown
    from ifseg_cli.core.prediction.engine.manifest import Failure

    told: set[str] = set()
    exporting: TaskID | None = None
    with console.stop_on_signal("picture") as stopped, console.progress("images") as bar:
        task = bar.add_task("watching" if watch else "predicting", total=None if watch else count.total, note="")

        def on_image(outcome: Record | Failure) -> None:
            if isinstance(outcome, Failure) and outcome.error not in told:
                told.add(outcome.error)  # a folder that is watched fails again and again
                console.say_warning(outcome.error)
            if tell is not None:
                tell(outcome)
            total = None if watch else count.total
            bar.update(task, advance=1, total=total, note=escape(shown(outcome.image)[-40:]))

        def on_export(record: Record) -> None:
            nonlocal exporting
            if exporting is None:
                exporting = bar.add_task("exporting", total=None if watch else bar.tasks[task].completed, note="")
            bar.update(exporting, advance=1, note=escape(shown(record.image)[-40:]))

        return (run.watch if watch else run.carry_out)(console.command(), on_image, stopped, on_export)
