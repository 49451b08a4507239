"""Statistics are counted on hand-made maps; the contact sheet and the samples file show what was drawn."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import safe_open
from safetensors.numpy import load_file

from ifseg_cli.core.images.components import components
from ifseg_cli.core.synthesis.draws import ArtificialImage
from ifseg_cli.core.synthesis.sampler import ArtificialImages
from ifseg_cli.core.synthesis.sheet import LINE, MARGIN, TILE, contact_sheet
from ifseg_cli.core.synthesis.statistics import describe
from ifseg_cli.core.synthesis.writing import write_samples

SAMPLER = ArtificialImages(num_categories=3, layout="grid", max_side=4, grid=4, target_size=8)
RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


def image(rows: list[list[int]]) -> ArtificialImage:
    small = np.array(rows, dtype=np.uint8)
    return ArtificialImage(small, (small.shape[0], small.shape[1]))


def flood(values: np.ndarray) -> np.ndarray:
    """Components the slow and obvious way."""
    found = np.full(values.shape, -1)
    for start in np.ndindex(values.shape):
        if found[start] < 0:
            number, waiting = found.max() + 1, [start]
            while waiting:
                r, c = waiting.pop()
                inside = 0 <= r < values.shape[0] and 0 <= c < values.shape[1]
                if inside and found[r, c] < 0 and values[r, c] == values[start]:
                    found[r, c] = number
                    waiting += [(r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)]
    return found


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 2)))
def test_components_equal_flood_fill(values: np.ndarray) -> None:
    np.testing.assert_array_equal(components(values), flood(values))


def test_a_spiral_is_one_region() -> None:
    spiral = np.array([[1, 1, 1, 1, 1], [0, 0, 0, 0, 1], [1, 1, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]])
    assert len(np.unique(components(spiral)[spiral == 1])) == 1


def test_counts_of_two_known_images() -> None:
    found = describe(SAMPLER, [image([[0, 1]]), image([[2], [2]])])
    assert found.images == 2
    assert found.heights == (1, 1)  # one image of height 1, one of height 2
    assert found.widths == (1, 1)
    assert found.categories_an_image.least == 1
    assert found.categories_an_image.most == 2
    assert found.regions == 3
    assert (found.region_cells.least, found.region_cells.median, found.region_cells.most) == (8, 8, 16)
    assert [(each.least, each.most, each.regions, each.area_share) for each in found.region_sizes] == [
        (8, 15, 2, 0.5),
        (16, 31, 1, 0.5),
    ]
    assert found.pixel_share == (0.25, 0.25, 0.5)
    assert found.images_with == (1, 1, 1)
    assert found.chi_square == pytest.approx(((1 - 4 / 3) ** 2 * 2 + (2 - 4 / 3) ** 2) / (4 / 3) / 2)


@pytest.mark.parametrize("change", [{"layout": "regions"}, {"max_categories": 2}, {"num_categories": 1}])
def test_no_chi_square_where_draws_are_not_independent(change: dict[str, object]) -> None:
    sampler = dataclasses.replace(SAMPLER, **change)  # pyright: ignore
    assert describe(sampler, [sampler.sample(0)]).chi_square is None


@given(st.integers(0, 1000), st.integers(1, 8), st.sampled_from(["grid", "regions"]))
def test_shares_and_sizes_add_up(seed: int, count: int, layout: str) -> None:
    sampler = dataclasses.replace(SAMPLER, seed=seed, layout=layout)  # pyright: ignore
    found = describe(sampler, [sampler.sample(k) for k in range(count)])
    assert sum(found.heights) == sum(found.widths) == count
    assert sum(found.pixel_share) == pytest.approx(1)
    assert sum(each.area_share for each in found.region_sizes) == pytest.approx(1)
    assert found.region_cells.mean * found.regions == pytest.approx(count * 16)


def test_the_sheet_shows_colours_in_their_places() -> None:
    sheet = contact_sheet([image([[0, 1], [2, 0]])], ["cat", "dog", "sky"], [RED, GREEN, BLUE], 4, "one")
    left, top, quarter = MARGIN, MARGIN + 2 * LINE, TILE // 4
    corners = [(left + 2, top + 2), (left + TILE - 3, top + 2), (left + 2, top + TILE - 3)]
    assert [sheet.getpixel(corner) for corner in corners] == [RED, GREEN, BLUE]
    centre = sheet.crop((left + quarter // 2, top + quarter // 2, left + 3 * quarter // 2, top + 3 * quarter // 2))
    assert len(centre.getcolors() or []) > 1  # the number of the category stands in its region


@pytest.mark.parametrize(("categories", "count"), [(1, 1), (3, 16), (171, 70)])
def test_the_sheet_grows_with_images_and_names(categories: int, count: int) -> None:
    sampler = dataclasses.replace(SAMPLER, num_categories=categories)
    names = [f"category with a rather long name, number {number}" for number in range(categories)]
    colours = [(number, 255 - number, 90) for number in range(categories)]
    sheet = contact_sheet([sampler.sample(k) for k in range(count)], names, colours, 4, "many")
    assert sheet.mode == "RGB"
    pixels = np.asarray(sheet)
    present = set(map(tuple, np.unique(pixels.reshape(-1, 3)[::3], axis=0).tolist()))
    assert set(colours) <= present  # all are in the legend, none falls off the page
    assert (pixels[:, -MARGIN // 2 :] == 255).all()
    assert (pixels[-MARGIN // 2 :] == 255).all()


@pytest.mark.parametrize(("categories", "dtype"), [(3, np.uint8), (300, np.uint16)])
def test_samples_are_read_back(tmp_path: Path, categories: int, dtype: type) -> None:
    sampler = dataclasses.replace(SAMPLER, num_categories=categories, seed=4)
    images = [sampler.sample(k) for k in range(3)]
    write_samples(tmp_path / "samples.safetensors", sampler, images)
    write_samples(tmp_path / "again.safetensors", sampler, images)
    assert (tmp_path / "samples.safetensors").read_bytes() == (tmp_path / "again.safetensors").read_bytes()
    tensors = load_file(tmp_path / "samples.safetensors")
    assert tensors["target"].dtype == tensors["ids"].dtype == tensors["small.0"].dtype == dtype
    batch = sampler.batch(0, 3)
    np.testing.assert_array_equal(tensors["ids"], batch.ids.numpy())
    np.testing.assert_array_equal(tensors["target"], batch.target.numpy())
    for k, each in enumerate(images):
        np.testing.assert_array_equal(tensors[f"small.{k}"], each.small)
        assert tuple(tensors["sides"][k]) == each.sides
    with safe_open(tmp_path / "samples.safetensors", framework="np") as file:
        assert json.loads(file.metadata()["ifseg"])["seed"] == 4
