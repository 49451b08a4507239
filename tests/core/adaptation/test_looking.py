"""Looks at artificial images while a run goes on, and when a loss is called flat."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import tiny_network

from ifseg_cli.core.adaptation.film import COLUMNS, SIDE, film
from ifseg_cli.core.adaptation.looking import IMAGES, Looking, Plateau
from ifseg_cli.core.adaptation.samples import ArtificialSamples, make_samples
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.recipe import load_recipe
from ifseg_cli.core.synthesis.sampler import sampler_for

STEPS = 7
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 9, 9)]


@pytest.fixture
def trained() -> tuple[Segmenter, ArtificialSamples]:
    network = tiny_network()
    network.set_vocabulary([0, 5, 2], [[[10 + i]] for i in range(4)])
    recipe = load_recipe("default", ["optimiser.batch_size=3", "synthesis.max_side=3"])
    return network, make_samples(network, sampler_for(recipe, network.pictures, 4), recipe)


def test_the_images_are_the_first_that_are_not_trained_on(trained: tuple[Segmenter, ArtificialSamples]):
    looking = Looking(*trained, STEPS)
    images = trained[1].images
    assert len(looking.drawn) == 3 <= IMAGES
    for place, cells in enumerate(looking.drawn):
        np.testing.assert_array_equal(cells, images.sample(3 * STEPS + place).cells(images.grid))


def test_accuracy_is_the_share_of_cells(trained: tuple[Segmenter, ArtificialSamples], monkeypatch: pytest.MonkeyPatch):
    network, samples = trained
    looking = Looking(network, samples, STEPS)
    right = torch.from_numpy(np.stack(looking.drawn)).long().flatten(1)
    answers = iter(right[:, None])
    monkeypatch.setattr(network, "scores", lambda cells, grid: torch.nn.functional.one_hot(next(answers), 4).float())
    assert looking.look(0).accuracy == 1.0
    wrong = right.clone()
    wrong[:, :9] = (wrong[:, :9] + 1) % 4  # 9 of 36 cells
    answers = iter(wrong[:, None])
    look = looking.look(5)
    assert look.accuracy == pytest.approx(0.75)
    assert look.step == 5
    np.testing.assert_array_equal(look.read.reshape(3, -1), wrong)


def test_who_trains_does_not_notice(trained: tuple[Segmenter, ArtificialSamples]):
    network, samples = trained
    network.train()
    before = torch.get_rng_state()
    Looking(network, samples, STEPS).look(0)
    assert network.training
    assert torch.equal(torch.get_rng_state(), before)
    assert all(each.grad is None for each in network.parameters())


def test_the_film_shows_what_was_drawn_and_the_latest_looks(trained: tuple[Segmenter, ArtificialSamples]):
    looking = Looking(*trained, STEPS)
    for step in range(10):
        looking.look(step)
    page = film(looking.drawn, looking.looks, ["cat", "dog", "sky", "sea"], COLOURS)
    assert page.width >= (1 + COLUMNS) * SIDE
    corner = page.getpixel((21, 41))
    assert corner == COLOURS[looking.drawn[0][0, 0]]


def flat_at(losses: list[float], steps: int) -> int | None:
    plateau = Plateau(steps)
    found = [plateau.add(loss) for loss in losses]
    return next((each for each in found if each), None)


@given(st.floats(0.05, 10), st.integers(0, 99))
def test_a_loss_that_falls_is_not_flat(start: float, seed: int):
    noise = np.random.default_rng(seed).normal(0, 0.02, 400)
    assert flat_at([start * float(np.exp(-step / 80) * (1 + noise[step])) for step in range(400)], 400) is None


@given(st.floats(0.05, 10), st.integers(0, 99))
def test_a_loss_that_stays_is_flat_from_its_first_windows_on(level: float, seed: int):
    noise = np.random.default_rng(seed).normal(0, 0.02, 400)
    found = flat_at([level * float(1 + noise[step]) for step in range(400)], 400)
    assert found is not None
    assert found <= 100


def test_the_step_is_where_it_stopped_falling():
    losses = [1.0 - step / 250 for step in range(200)] + [0.2] * 200
    found = flat_at(losses, 400)
    assert found is not None
    assert 200 <= found <= 240


def test_short_runs_are_never_called_flat():
    assert flat_at([1.0] * 15, 15) is None


def test_noise_is_never_called_flat():
    noise = np.random.default_rng(0).normal(2.0, 0.6, 40)
    assert flat_at(list(map(float, noise)), 40) is None


def test_a_run_that_goes_on_counts_its_steps_from_the_beginning():
    plateau = Plateau(100, first=40)
    assert [found for _ in range(20) if (found := plateau.add(0.5))] == [45]
