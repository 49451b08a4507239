"""What stands in a mask file, read back."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from ifseg_cli.core.images import masks
from ifseg_cli.core.images.masks import colour_labels, count_labels, mask_image

COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
LABELS = np.array([[0, 1, 2], [2, -1, 0]], np.int16)


def written(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, format="PNG")
    return Image.open(file)


def test_up_to_a_byte_it_is_a_palette_with_the_categories_colours():
    image = written(mask_image(LABELS, (0, 1, 2), COLOURS, 255))
    assert image.mode == "P"
    assert np.asarray(image).tolist() == [[0, 1, 2], [2, 255, 0]]
    assert np.array_equal(np.asarray(image.convert("RGB")), colour_labels(LABELS, COLOURS))


def test_raw_ids_stand_in_the_mask():
    image = written(mask_image(LABELS, (7, 80, 254), COLOURS, 255))
    assert np.asarray(image).tolist() == [[7, 80, 254], [254, 255, 7]]
    assert image.convert("RGB").getpixel((1, 0)) == (0, 255, 0)


def test_beyond_a_byte_it_has_16_bits():
    image = written(mask_image(LABELS, (7, 256, 65534), COLOURS, 65535))
    assert image.mode.startswith("I")
    assert np.asarray(image).tolist() == [[7, 256, 65534], [65534, 65535, 7]]


@given(arrays(np.int16, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(-1, 254)))
def test_any_labels_come_back(labels: np.ndarray):
    colours = [(i, 255 - i, i // 2) for i in range(255)]
    read = np.asarray(written(mask_image(labels, range(255), colours, 255))).astype(np.int16)
    assert np.array_equal(np.where(read == 255, -1, read), labels)


def test_areas_are_counted_in_strips_alike(monkeypatch: pytest.MonkeyPatch):
    assert count_labels(LABELS, 4) == ((2, 1, 2, 0), 1)
    monkeypatch.setattr(masks, "_STRIP_PIXELS", 1)
    assert count_labels(LABELS, 4) == ((2, 1, 2, 0), 1)
    assert np.asarray(mask_image(LABELS, (0, 1, 2), COLOURS, 255)).tolist() == [[0, 1, 2], [2, 255, 0]]
