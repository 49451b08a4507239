"""Presence against its formula, and its laws."""

from __future__ import annotations

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ifseg_cli.core.prediction.method.presence import CELLS, LEAST, with_presence


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 40), st.integers(1, 6), st.floats(0, 2), st.integers(0, 1000))
def test_presence_is_its_formula(cells: int, names: int, weight: float, seed: int) -> None:
    scores = torch.randn(2, cells, names, generator=torch.Generator().manual_seed(seed)) * 3
    found = with_presence(scores, weight)
    for picture in range(2):
        for name in range(names):
            shown = sorted(scores[picture].softmax(-1)[:, name].tolist(), reverse=True)[: max(1, cells // CELLS)]
            expected = scores[picture, :, name] + weight * math.log(LEAST + sum(shown) / len(shown))
            torch.testing.assert_close(found[picture, :, name], expected, rtol=1e-4, atol=1e-4)


def test_without_weight_scores_are_as_they_are() -> None:
    scores = torch.randn(1, 5, 3)
    assert with_presence(scores, 0.0) is scores


def test_a_name_that_stands_out_nowhere_loses_close_decisions() -> None:
    """Two names tie in most cells; the one that some cells show clearly gets them. Order among cells is kept."""
    scores = torch.zeros(1, 24, 2)
    scores[0, :2, 0] = 6.0
    found = with_presence(scores, 0.5)
    assert (found[0, 2:].argmax(-1) == 0).all()
    assert torch.equal(found[0, :, 0].argsort(stable=True), scores[0, :, 0].argsort(stable=True))


def test_pictures_of_a_batch_do_not_see_each_other() -> None:
    scores = torch.randn(3, 30, 4)
    together = with_presence(scores, 0.6)
    for picture in range(3):
        torch.testing.assert_close(together[picture : picture + 1], with_presence(scores[picture : picture + 1], 0.6))
