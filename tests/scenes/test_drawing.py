"""The drawn world: it repeats, its truth is exact, it shows every category, its textures stay as they are."""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
import pytest

from ifseg_cli.scenes.categories import CATEGORIES, INDEX
from ifseg_cli.scenes.draw import SIDES, scene
from ifseg_cli.scenes.textures import TEXTURES

SMALL = (72, 96)
MAGENTA = (255, 0, 255)
COLOURS = {name: (8 * at, 255 - at, at * 37 % 256) for name, at in INDEX.items()}


@cache
def small(index: int) -> tuple[np.ndarray, np.ndarray]:
    return scene(11, index, SMALL)


def digest(*arrays: np.ndarray) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def test_a_scene_depends_on_seed_and_number_alone() -> None:
    alone = digest(*scene(3, 4))
    for index in (0, 9, 5):
        scene(3, index, SMALL)
    assert digest(*scene(3, 4)) == alone
    assert len({alone, digest(*scene(3, 5)), digest(*scene(4, 4))}) == 3


def test_pictures_and_labels_have_one_size_within_bounds() -> None:
    shapes = []
    for index in range(6):
        picture, labels = scene(0, index)
        assert picture.shape == (*labels.shape, 3)
        assert (picture.dtype, labels.dtype) == (np.uint8, np.uint8)
        assert labels.max() < len(CATEGORIES)
        shapes.append(labels.shape)
    assert all(SIDES[0] <= side <= SIDES[1] for shape in shapes for side in shape)
    assert {height > width for height, width in shapes} == {True, False}


def test_every_category_occurs_and_none_rules() -> None:
    pixels = np.zeros(len(CATEGORIES))
    occurs = np.zeros(len(CATEGORIES), int)
    for index in range(200):
        counts = np.bincount(scene(11, index, SMALL, flat=COLOURS)[1].ravel(), minlength=len(CATEGORIES))
        pixels += counts
        occurs += counts > 0
    assert len(CATEGORIES) >= 20
    assert occurs.min() >= 4, dict(zip(CATEGORIES, occurs, strict=True))
    assert (pixels / pixels.sum()).max() < 0.25


@pytest.mark.parametrize("index", range(30))
def test_labels_say_what_was_painted(index: int) -> None:
    picture, labels = scene(11, index, SMALL, flat=COLOURS)
    assert np.array_equal(picture, np.array(list(COLOURS.values()), np.uint8)[labels])
    assert np.array_equal(labels, small(index)[1]), "looks change no outline"


@pytest.mark.parametrize("index", range(12))
def test_a_category_is_where_its_colour_is_and_seen_through_fences_alone(index: int) -> None:
    labels = small(index)[1]
    for category in np.unique(labels):
        picture, again = scene(11, index, SMALL, flat={CATEGORIES[category]: MAGENTA})
        painted = (picture == MAGENTA).all(2)
        assert painted[labels == category].all(), CATEGORIES[category]
        assert set(labels[painted]) <= {category, INDEX["fence"]}, CATEGORIES[category]
        assert np.array_equal(again, labels)


def test_colours_change_where_labels_change() -> None:
    across, within = [], []
    for index in range(40):
        picture, labels = scene(12, index, (160, 200))
        step = np.abs(np.diff(picture.astype(int), axis=1)).sum(2)
        border = np.diff(labels.astype(int), axis=1) != 0
        if border.any():
            across.append(step[border].mean())
            within.append(step[~border].mean())
    assert np.mean(across) > 2 * np.mean(within)


def test_textures_are_those_that_the_built_in_base_was_made_from() -> None:
    """The base's texture directions were fitted on these drawings: another drawing wants another base."""
    drawn = [TEXTURES[name](np.random.default_rng(7), 48) for name in sorted(TEXTURES)]
    found = digest(*drawn)
    assert found == ("e0082a62fd7897b733cdd59f978612c864846a3c73b1624aadaa3a09917dd6c5"), (
        "textures changed: make the base anew (scripts/make_builtin.py)"
    )
