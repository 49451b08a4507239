"""Drawing ahead: where a GPU learns from this batch, the next one is made on the processor meanwhile.

A batch is a function of the seed and the update's number, so that nothing but time depends on when it is drawn. Where
the processor learns, too, the two would be in each other's way (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import torch

from ifseg_cli.core.adaptation.samples import TrainingBatch


def batches(
    draw: Callable[[int], TrainingBatch], first: int, last: int, device: torch.device
) -> Iterator[tuple[int, TrainingBatch]]:
    """Number and batch of the updates `first`, ..., `last - 1`.

    Args:
        draw: the batch of an update.
        first: update.
        last: one past the last update.
        device: that learns; unless it is the processor, a batch is drawn while the one before it is used.

    Raises:
        Exception: whatever drawing raises, when its batch is asked for.
    """
    if device.type == "cpu":
        yield from ((update, draw(update)) for update in range(first, last))
        return
    with ThreadPoolExecutor(1, thread_name_prefix="ifseg-draw") as thread:
        coming = thread.submit(draw, first) if first < last else None
        for update in range(first, last):
            assert coming is not None
            batch = coming.result()
            coming = thread.submit(draw, update + 1) if update + 1 < last else None
            yield update, batch
