"""Artificial images are drawn as the method says, and depend on the seed and their number alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from ifseg_cli.core.bases.base import PictureFacts
from ifseg_cli.core.errors import RecipeError
from ifseg_cli.core.recipe import load_recipe
from ifseg_cli.core.synthesis.draws import MAX_REGIONS_SIDE, Heights
from ifseg_cli.core.synthesis.nearest import nearest_resize
from ifseg_cli.core.synthesis.sampler import ArtificialImages, sampler_for

METHOD = ArtificialImages(num_categories=7, layout="grid", max_side=32, grid=32, target_size=512)
REGIONS = ArtificialImages(num_categories=7, layout="regions", max_side=8, grid=28, target_size=448)


def facts(short_side: int = 512, grid: int = 32) -> PictureFacts:
    return PictureFacts(short_side, 2048, (0.5,) * 3, (0.5,) * 3, grid)


def chi_square(counts: np.ndarray) -> float:
    """Over its degrees of freedom: 1 on average for fair draws."""
    even = counts.sum() / len(counts)
    return float(((counts - even) ** 2).sum() / even / (len(counts) - 1))


def test_sides_are_uniform_from_one_to_s_and_independent() -> None:
    sides = np.array([METHOD.sample(k).sides for k in range(6400)])
    assert sides.min() == 1
    assert sides.max() == 32
    for axis in (0, 1):
        assert chi_square(np.bincount(sides[:, axis], minlength=33)[1:]) < 1.7  # p > 0.01
    assert abs(np.corrcoef(sides.T)[0, 1]) < 0.04


def test_ids_are_uniform_with_replacement() -> None:
    drawn = np.concatenate([METHOD.sample(k).small.ravel() for k in range(300)])
    assert chi_square(np.bincount(drawn, minlength=7)) < 2.8  # p > 0.01
    pairs = drawn[0::2][: len(drawn) // 2] == drawn[1::2]
    assert abs(pairs.mean() - 1 / 7) < 0.005  # neighbours are equal as often as chance has it


def test_cells_and_target_come_from_the_same_small_map() -> None:
    image = METHOD.sample(3)
    assert image.small.shape == image.sides
    np.testing.assert_array_equal(image.cells(32), nearest_resize(image.small, 32, 32))
    np.testing.assert_array_equal(image.target(512), nearest_resize(image.small, 512, 512))


@pytest.mark.parametrize("images", [METHOD, REGIONS])
def test_an_image_depends_on_seed_and_number_alone(images: ArtificialImages) -> None:
    late = images.sample(1000).small
    for k in range(5):
        images.sample(k)
    np.testing.assert_array_equal(dataclasses.replace(images).sample(1000).small, late)
    others = [images.sample(1001), dataclasses.replace(images, seed=1).sample(1000)]
    assert not any(np.array_equal(other.small, late) for other in others)


def test_this_draw_is_the_one_that_was_always_drawn() -> None:
    # A recipe and a seed in a model's provenance must mean the same images in later versions.
    small = (
        ArtificialImages(num_categories=10, layout="grid", max_side=4, grid=8, target_size=16, seed=5).sample(2).small
    )
    assert small.tolist() == [[7, 9, 6], [4, 4, 4], [8, 4, 0], [2, 3, 8]]


def test_batches_follow_each_other_without_gap_or_repeat() -> None:
    numbers = [image.small.tobytes() for step in range(3) for image in METHOD.batch(step, 4).images]
    assert numbers == [METHOD.sample(k).small.tobytes() for k in range(12)]


def test_a_batch_has_the_shapes_it_promises() -> None:
    batch = METHOD.batch(0, 3)
    assert (batch.ids.shape, batch.ids.dtype) == ((3, 32, 32), torch.int64)
    assert (batch.target.shape, batch.target.dtype) == ((3, 512, 512), torch.uint8)
    many = dataclasses.replace(METHOD, num_categories=300).batch(0, 2)
    assert many.target.dtype == torch.int16
    assert many.target.max() > 255
    np.testing.assert_array_equal(many.images[1].target(512), many.target[1].numpy())


@pytest.mark.parametrize("images", [METHOD, REGIONS])
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_max_categories_limits_an_image_not_the_run(images: ArtificialImages, limit: int) -> None:
    limited = dataclasses.replace(images, max_categories=limit)
    seen = [set(limited.sample(k).small.ravel().tolist()) for k in range(60)]
    assert max(map(len, seen)) == min(limit, 7)
    assert set.union(*seen) == set(range(7))


def test_words_keep_to_their_usual_height_and_no_word_is_lost() -> None:
    settled = dataclasses.replace(REGIONS, num_categories=3, heights=Heights((1.0, -1.0, 0.0), 6.0))
    rows: list[list[float]] = [[], [], []]
    for k in range(80):
        small = settled.sample(k).small
        for category in np.unique(small).tolist():
            rows[category].append(float(np.nonzero(small == category)[0].mean() / len(small)))
    above, below, anywhere = (float(np.mean(each)) for each in rows)
    assert above < 0.42 < anywhere < 0.58 < below


def test_heights_keep_the_limit_on_categories() -> None:
    settled = dataclasses.replace(REGIONS, heights=Heights((1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0), 4.0), max_categories=2)
    drawn = [set(np.unique(settled.sample(k).small).tolist()) for k in range(60)]
    assert max(map(len, drawn)) == 2
    assert set.union(*drawn) == set(range(7))


def test_heights_come_from_the_base_s_words_if_the_recipe_wants_them() -> None:
    pictures, usual = facts(448, 28), (1.0, 0.0, -1.0)
    wanted = load_recipe("default", ["synthesis.layout=regions", "synthesis.heights=4.0"])
    assert sampler_for(wanted, pictures, 3, usual_heights=usual).heights == Heights(usual, 4.0)
    assert sampler_for(wanted, pictures, 3).heights is None
    assert sampler_for(load_recipe("default"), pictures, 3, usual_heights=usual).heights is None


def test_regions_are_larger_than_cells_and_fill_the_field() -> None:
    for k in range(20):
        image = REGIONS.sample(k)
        assert image.small.shape == (4 * 28, 4 * 28)
        assert max(image.sides) <= MAX_REGIONS_SIDE
        assert image.sides[0] * image.sides[1] >= len(np.unique(image.small))
        across = (image.small[:, 1:] == image.small[:, :-1]).mean()
        assert across > 0.9  # borders are rare; on a fair grid of cells 1 in 7 neighbours would agree


def test_a_region_cell_is_read_at_its_middle() -> None:
    # A cell stands for a patch: on average it must lie neither up or left nor down or right of its pixels.
    image = REGIONS.sample(1)
    enlarged = image.cells(28).repeat(16, axis=0).repeat(16, axis=1)
    target = image.target(448)
    agreements = [(np.roll(enlarged, move, axis=(0, 1)) == target)[16:-16, 16:-16].mean() for move in (-8, 0, 8)]
    assert agreements[1] == max(agreements)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_side": 0}, "synthesis.max_side is 0"),
        ({"num_categories": 0}, "categories is 0"),
        ({"grid": 0}, "grid is 0"),
        ({"target_size": -1}, "target_size is -1"),
        ({"max_categories": -2}, "synthesis.max_categories is -2"),
        ({"seed": -1}, "seed is -1"),
        ({"layout": "stripes"}, "synthesis.layout is 'stripes'"),
    ],
)
def test_values_out_of_range_are_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        dataclasses.replace(METHOD, **change)  # pyright: ignore


def test_what_a_recipe_leaves_open_is_the_base_s_own() -> None:
    recipe = load_recipe("default", ["grid=null", "target_size=null", "seed=7"])
    images = sampler_for(recipe, facts(448, 28), 5)
    assert (images.grid, images.target_size, images.seed, images.num_categories) == (28, 448, 7, 5)
    assert sampler_for(recipe, facts(), 5, seed=9).seed == 9
    set_ = load_recipe("default", ["grid=16", "target_size=256", "synthesis.max_side=4", "synthesis.layout=regions"])
    images = sampler_for(set_, facts(), 5)
    assert (images.grid, images.target_size, images.max_side, images.layout) == (16, 256, 4, "regions")


def test_the_default_recipe_is_the_method() -> None:
    assert sampler_for(load_recipe("default"), facts(), 7) == METHOD
