from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from ifseg_cli.core.adaptation.loss import IGNORE, segmentation_loss


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
