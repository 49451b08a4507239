from __future__ import annotations

import threading
from typing import Any

import pytest
import torch

from ifseg_cli.core.adaptation.ahead import batches

GPU, CPU = torch.device("cuda"), torch.device("cpu")  # names alone: nothing is put there


@pytest.mark.parametrize("device", [GPU, CPU], ids=str)
def test_every_batch_once_and_in_order(device: torch.device):
    drawn: list[int] = []

    def draw(update: int) -> Any:
        drawn.append(update)
        return update * 10

    assert list(batches(draw, 3, 7, device)) == [(3, 30), (4, 40), (5, 50), (6, 60)]
    assert drawn == [3, 4, 5, 6]
    assert list(batches(draw, 7, 7, device)) == []


def test_the_next_one_is_drawn_while_this_one_is_used():
    begun = [threading.Event() for _ in range(3)]

    def draw(update: int) -> Any:
        begun[update].set()
        return update

    coming = batches(draw, 0, 3, GPU)
    next(coming)
    assert begun[1].wait(5)
    assert not begun[2].is_set()
    coming.close()


def test_what_drawing_raises_is_told():
    def draw(update: int) -> Any:
        raise ValueError(f"batch {update}")

    with pytest.raises(ValueError, match="batch 2"):
        next(batches(draw, 2, 5, GPU))
    assert not [each for each in threading.enumerate() if each.name.startswith("ifseg-draw")]
