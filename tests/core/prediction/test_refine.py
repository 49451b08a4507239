"""Refinement: against plain forms of the same formulas, and on edges that everyone can see."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import pad

from ifseg_cli.core.errors import RecipeError
from ifseg_cli.core.images.decode import Pixels
from ifseg_cli.core.prediction.method import crf, pamr
from ifseg_cli.core.prediction.method.guided import RADIUS, RIDGE, guided, linear_functions
from ifseg_cli.core.prediction.method.refine import Refinement, refined
from ifseg_cli.core.prediction.method.upsample import decide, label_map

NO_CRF = pytest.mark.skipif(not find_spec("pydensecrf"), reason="pydensecrf2 is not installed: it did not compile")
WAYS = ["pamr", "guided", pytest.param("crf", marks=NO_CRF)]


def halves() -> tuple[Tensor, Pixels]:
    """A picture whose left 42 of 96 columns are dark, and a grid of 6 x 6 cells that puts the border at column 48."""
    pixels = np.full((96, 96, 3), 200, dtype=np.uint8)
    pixels[:, :42] = 40
    pixels += np.random.default_rng(0).integers(0, 9, pixels.shape, dtype=np.uint8)
    values = torch.full((4, 6, 6), 0.05)
    values[1, :, :3] = 0.85
    values[2, :, 3:] = 0.85
    return values, pixels


@pytest.mark.parametrize("way", WAYS)
def test_the_border_moves_to_the_edge(way: Refinement):
    values, pixels = halves()
    truth = np.where(np.arange(96) < 42, 1, 2)[None].repeat(96, 0)
    plain = (label_map([values], (96, 96), are_scores=False).labels != truth).mean()
    found = refined([values], pixels, way)
    assert found.categories.tolist() == [1, 2]  # no other takes part
    sharp = decide(found.rows_of, found.categories, (96, 96), are_scores=False, threshold=0)
    assert (sharp.labels != truth).mean() < 0.5 * plain
    assert sharp.confidence.min() >= 0 and sharp.confidence.max() <= 1 + 1e-6


@pytest.mark.parametrize("way", WAYS)
def test_one_category_and_one_pixel_are_no_trouble(way: Refinement):
    for size in ((1, 1), (3, 50), (40, 1)):
        found = refined([torch.rand(3, 1, 1)], np.zeros((*size, 3), dtype=np.uint8), way)
        assert decide(found.rows_of, found.categories, size, False, 0).labels.shape == size


@pytest.mark.parametrize("way", ("pamr", "guided"))
def test_a_large_picture_is_refined_small_and_up_sampled_in_strips(way: Refinement):
    values, pixels = halves()
    large = pixels.repeat(13, 0).repeat(13, 1)  # 1,248 a side
    found = refined([values], large, way)
    whole = found.rows_of(slice(0, 1248))
    strips = torch.cat([found.rows_of(slice(top, min(top + 100, 1248))) for top in range(0, 1248, 100)], 1)
    assert torch.allclose(whole, strips, rtol=0, atol=1e-6)
    border = (whole[0] < whole[1]).float().argmax(1)
    assert (border - 13 * 42).abs().max() <= 30  # the edge at most one small pixel off: 26 for pamr


def plain_pamr(values: Tensor, picture: Tensor) -> Tensor:
    """The formula, pixel by pixel."""
    reach, (height, width) = max(pamr.DISTANCES), picture.shape[1:]
    steps = [(d * a, d * b) for d in pamr.DISTANCES for a in (-1, 0, 1) for b in (-1, 0, 1)]
    seen = pad(picture[None], [reach] * 4, mode="replicate")[0]
    for _ in range(pamr.ROUNDS):
        before, after = pad(values[None], [reach] * 4, mode="replicate")[0], values.clone()
        for y in range(height):
            for x in range(width):
                places = [(y + reach + down, x + reach + right) for down, right in steps]
                spread = torch.stack([seen[:, a, b] for a, b in places]).std(0)
                others = [place for place, step in zip(places, steps, strict=True) if step != (0, 0)]
                far = torch.stack([(seen[:, a, b] - picture[:, y, x]).abs() / (0.1 * spread + 1e-8) for a, b in others])
                weight = (-far.mean(1)).softmax(0)
                after[:, y, x] = torch.stack([before[:, a, b] for a, b in others], 1) @ weight
        values = after
    return values


def test_pamr_is_its_formula(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pamr, "ROUNDS", 2)
    made = torch.Generator().manual_seed(0)
    values, picture = torch.rand(2, 5, 7, generator=made), torch.rand(3, 5, 7, generator=made)
    assert torch.allclose(pamr.pamr(values, picture), plain_pamr(values, picture), rtol=0, atol=1e-4)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_pamr_keeps_sums_and_bounds(seed: int):
    made = torch.Generator().manual_seed(seed)
    values, picture = torch.rand(3, 6, 9, generator=made).softmax(0), torch.rand(3, 6, 9, generator=made)
    found = pamr.pamr(values, picture)
    assert torch.allclose(found.sum(0), torch.ones(6, 9), atol=1e-4)
    assert (found.amin((1, 2)) >= values.amin((1, 2)) - 1e-5).all()
    assert (found.amax((1, 2)) <= values.amax((1, 2)) + 1e-5).all()


def test_guided_fits_a_line_in_every_window():
    made = torch.Generator().manual_seed(0)
    size = 2 * RADIUS + 1  # the middle pixel's window is the whole picture
    values, picture = torch.rand(2, size, size, generator=made), torch.rand(3, size, size, generator=made)
    colours = picture.flatten(1).T.double()
    centred = colours - colours.mean(0)
    wanted = values.flatten(1).T.double()
    ridge = len(colours) * RIDGE * torch.eye(3, dtype=torch.float64)
    slopes = torch.linalg.solve(centred.T @ centred + ridge, centred.T @ (wanted - wanted.mean(0)))
    from ifseg_cli.core.prediction.method import guided as module

    middle = RADIUS
    found, offsets = module.fitted(values, picture)
    assert torch.allclose(found[:, :, middle, middle].double(), slopes.T, atol=1e-4)
    assert torch.allclose(offsets[:, middle, middle].double(), wanted.mean(0) - slopes.T @ colours.mean(0), atol=1e-4)


def test_guided_of_a_function_of_colour_is_that_function():
    picture = torch.rand(3, 40, 40, generator=torch.Generator().manual_seed(1))
    pixels = (picture.permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)
    exact = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    values = (0.2 + 0.3 * exact[0] + 0.4 * exact[2])[None]
    slopes, _ = linear_functions(values, exact)
    assert (slopes.mean((2, 3)) - torch.tensor([[0.3, 0.0, 0.4]])).abs().max() < 0.01
    assert torch.allclose(guided(values, exact, pixels)(slice(0, 40)), values, atol=0.02)


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(crf, "find_spec", lambda name: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with pytest.raises(RecipeError, match=r"pip install 'ifseg\[crf\]'"):
        crf.require_crf()
