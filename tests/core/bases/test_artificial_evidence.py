"""Artificial evidence of the base that ships."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from ifseg_cli.core.adaptation.loss import IGNORE
from ifseg_cli.core.adaptation.samples import make_samples
from ifseg_cli.core.bases.builtin.evidence import EvidenceProjection
from ifseg_cli.core.bases.builtin.noise import EvidenceNoise, NoiseLevels
from ifseg_cli.core.bases.folder import LoadedModel, load_base
from ifseg_cli.core.errors import RecipeError
from ifseg_cli.core.recipe import load_recipe
from ifseg_cli.core.synthesis.sampler import sampler_for

NAMES = ("sky", "grass", "cat", "dog", "school bus")
QUIET = NoiseLevels(weak_share=0, region=0, picture=0, null=0, blob=0, bleed=0, wrong_texture=0, unknown=0)


@pytest.fixture(scope="module")
def base() -> Iterator[LoadedModel]:
    loaded = load_base("builtin", torch.device("cpu"))
    pieces = [[loaded.reader.tokenizer.encode(name)] for name in NAMES]
    loaded.network.set_vocabulary([0, *(ids[0][0] for ids in pieces), 2], pieces)
    with torch.inference_mode():
        yield loaded


def noise(base: LoadedModel, levels: NoiseLevels | None = None) -> EvidenceNoise:
    assert isinstance(base.network.image_proj, EvidenceProjection)
    return EvidenceNoise(base.network.image_proj, levels)


def test_rows_know_what_speaks_for_them(base: LoadedModel) -> None:
    words = noise(base).words(base.network.rows)
    assert words.texture[0] >= 0  # sky and grass are drawn
    assert words.texture[1] >= 0
    assert words.texture[2:].tolist() == [-1, -1, -1]
    assert (words.classes[4] > 0).nonzero()[:, 0].tolist() == [779]  # "school bus" is ImageNet's class 779
    dogs = words.classes[3][151:269]  # ImageNet's dogs
    assert dogs.sum() > 0.95
    assert (dogs > 0).sum() > 100
    assert torch.allclose(words.classes.sum(1), torch.ones(5))


def ids(base: LoadedModel) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    coarse = torch.randint(len(NAMES), (6, 4, 4), generator=generator)
    return coarse.repeat_interleave(4, 1).repeat_interleave(4, 2)


def accuracy(base: LoadedModel, levels: NoiseLevels) -> float:
    drawn, maps = noise(base, levels), ids(base)
    cells, _ = drawn.draw(maps, drawn.words(base.network.rows), torch.Generator().manual_seed(0))
    best = base.network.plain_scores(cells).argmax(-1)
    return (best == maps.flatten(1)).float().mean().item()


def test_quiet_evidence_is_read_by_the_plain_score_and_noise_makes_it_hard(base: LoadedModel) -> None:
    assert accuracy(base, replace(QUIET, strength=60.0)) > 0.85
    assert 0.35 < accuracy(base, NoiseLevels()) < 0.85


def test_a_draw_depends_on_its_generator_alone(base: LoadedModel) -> None:
    drawn, maps = noise(base), ids(base)
    words = drawn.words(base.network.rows)
    first, again, other = (drawn.draw(maps, words, torch.Generator().manual_seed(s))[0] for s in (5, 5, 6))
    assert first.shape == (6, 256, base.network.rows.shape[1])
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_unknown_words_leave_something_to_learn_from(base: LoadedModel) -> None:
    drawn, maps = noise(base, NoiseLevels(unknown=1.0)), ids(base)
    _, unknown = drawn.draw(maps, drawn.words(base.network.rows), torch.Generator().manual_seed(0))
    assert unknown.any()
    for picture in range(len(maps)):
        present = maps[picture].unique()
        assert not unknown[picture, present].all()


def test_pixels_of_unknown_words_do_not_count(base: LoadedModel) -> None:
    recipe = load_recipe("quick", ["optimiser.batch_size=16"])
    samples = make_samples(base.network, sampler_for(recipe, base.network.pictures, len(NAMES)), recipe)
    assert samples.noise
    batch = samples.batch(0)
    assert batch.target.shape == (16, recipe.target_size, recipe.target_size)
    share = (batch.target == IGNORE).float().mean().item()
    assert 0.0 < share < 0.5
    assert set(batch.target.unique().tolist()) <= {IGNORE, *range(len(NAMES))}


def test_evidence_is_the_builtin_bases_own() -> None:
    from tiny import tiny_network

    other = tiny_network()
    other.set_vocabulary([0, 2], [[[5]], [[6]]])
    recipe = load_recipe("quick")
    with pytest.raises(RecipeError, match=r"synthesis\.cells is evidence"):
        make_samples(other, sampler_for(recipe, other.pictures, 2), recipe)
