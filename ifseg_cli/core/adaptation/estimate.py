"""How long a run will take: one sample, forward and backward, timed before the first step."""

from __future__ import annotations

import time

from ifseg_cli.core.adaptation.loop import Samples, leave_gradients
from ifseg_cli.core.bases.base import Network


def seconds_per_sample(network: Network, samples: Samples, precision: str | None = None) -> float:
    """Seconds that one sample takes forward and backward, from the samples of the first update.

    The model is left as it was: no update is made, and no random number is used up that a run would see (every step
    seeds its own).
    """
    batch = samples.batch(0)
    one = next(batch.parts(1))
    best = float("inf")
    for _ in range(2):  # the first one warms up
        begin = time.perf_counter()
        leave_gradients(network, [one], one.target.numel(), precision)
        best = min(best, time.perf_counter() - begin)
    network.zero_grad(set_to_none=True)
    return best
