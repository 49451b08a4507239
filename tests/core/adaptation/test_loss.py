from __future__ import annotations

from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from ifseg_cli.core.adaptation import loss as loss_module
from ifseg_cli.core.adaptation.loss import IGNORE, labelled_pixels, segmentation_loss


def test_equals_the_mean_over_pixels_written_out() -> None:
    torch.manual_seed(0)
    scores, target = torch.randn(2, 12, 5), torch.randint(5, (2, 9, 16))
    total, count = 0.0, 0
    for image in range(2):
        maps = F.interpolate(scores[image].T.view(1, 5, 3, 4), size=(9, 16), mode="bilinear", align_corners=False)[0]
        for row in range(9):
            for column in range(16):
                total -= maps[:, row, column].log_softmax(0)[target[image, row, column]].item()
                count += 1
    assert segmentation_loss(scores, (3, 4), target).item() == pytest.approx(total / count, rel=1e-5)


def test_ignored_pixels_do_not_count() -> None:
    torch.manual_seed(0)
    scores = torch.randn(1, 4, 3)
    target = torch.randint(3, (1, 2, 2))
    target[0, 0, 0] = IGNORE
    maps = scores[0].T.view(3, 2, 2)
    places = [(0, 1), (1, 0), (1, 1)]
    expected = -sum(maps[:, r, c].log_softmax(0)[target[0, r, c]].item() for r, c in places) / 3
    assert segmentation_loss(scores, (2, 2), target).item() == pytest.approx(expected, rel=1e-5)


def plain_loss(scores: Tensor, grid: tuple[int, int], target: Tensor) -> Tensor:
    """The reference: all scores at full size, as published."""
    maps = scores.float().transpose(1, 2).unflatten(2, grid)
    maps = F.interpolate(maps, size=tuple(target.shape[1:]), mode="bilinear", align_corners=False)
    return F.cross_entropy(maps, target, ignore_index=IGNORE)


@settings(max_examples=40)
@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 40), st.integers(1, 33), st.integers(0, 500))
def test_value_and_gradients_are_those_of_the_plain_way(h: int, w: int, high: int, wide: int, strip: int) -> None:
    made = torch.Generator().manual_seed(h * w * high * wide)
    scores = (torch.randn(2, h * w, 5, generator=made) * 4).requires_grad_()
    target = torch.randint(5, (2, high, wide), generator=made)
    target[0, 0, 0] = IGNORE
    target[1, 0, 0] = 1  # something is labelled
    with mock.patch.object(loss_module, "_STRIP", strip):
        ours = segmentation_loss(scores, (h, w), target)
    theirs = plain_loss(scores, (h, w), target)
    assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    (one,), (other,) = (torch.autograd.grad(each, [scores]) for each in (ours * 3, theirs * 3))
    assert torch.allclose(one, other, rtol=1e-5, atol=1e-5 * float(other.abs().max()))


def test_the_parts_of_a_batch_add_up_to_it() -> None:
    torch.manual_seed(0)
    scores, target = torch.randn(3, 12, 5, requires_grad=True), torch.randint(5, (3, 9, 16))
    target[0] = IGNORE
    whole = segmentation_loss(scores, (3, 4), target)
    pixels = labelled_pixels(target)
    parts = [segmentation_loss(scores[i : i + 1], (3, 4), target[i : i + 1], pixels) for i in range(3)]
    assert torch.allclose(sum(parts, torch.zeros(())), whole)
    (one,), (other,) = (torch.autograd.grad(each, [scores]) for each in (whole, sum(parts, torch.zeros(()))))
    assert torch.allclose(one, other, rtol=1e-5, atol=1e-8)
