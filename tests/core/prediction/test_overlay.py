"""Overlays suit the eye at any size of photograph."""

from __future__ import annotations

import numpy as np
import pytest

from ifseg_cli.core.prediction.outputs.overlay import blend, overlay_with_legend, share_text

NAMES = ("cat", "a category whose name is far too long to be written", "sky")
COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255))


def picture(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.zeros((height, width), np.int16)
    labels[height // 2 :] = 1
    return np.full((height, width, 3), 100, np.uint8), labels


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 5000), (5000, 1), (300, 200), (200, 900), (2500, 3000)])
def test_the_legend_is_readable_beside_every_size(size: tuple[int, int]):
    pixels, labels = picture(*size)
    overlay = overlay_with_legend(pixels, labels, NAMES, COLOURS)
    assert min(overlay.size) >= 48 and max(overlay.size) >= 640 and max(overlay.size) <= 2200
    assert overlay.mode == "RGB"


def colours_in(image: object) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in np.asarray(image).reshape(-1, 3).tolist()}


def test_only_categories_present_are_in_the_legend():
    pixels, labels = picture(100, 100)
    shown = colours_in(overlay_with_legend(pixels, labels, NAMES, COLOURS))
    assert COLOURS[0] in shown and COLOURS[1] in shown and COLOURS[2] not in shown


def test_many_categories_find_room():
    labels = np.arange(150, dtype=np.int16).repeat(4).reshape(20, 30)
    colours = [(i, 0, 255 - i) for i in range(150)]
    overlay = overlay_with_legend(np.zeros((20, 30, 3), np.uint8), labels, [f"name {i}" for i in range(150)], colours)
    assert set(colours) <= colours_in(overlay)


def test_ignored_pixels_show_the_photograph():
    pixels, labels = picture(50, 50)
    labels[:] = -1
    assert colours_in(blend(pixels, labels, COLOURS, (50, 50))) == {(100, 100, 100)}
    overlay_with_legend(pixels, labels, NAMES, COLOURS)


def test_regions_are_tinted_and_outlined():
    pixels, labels = picture(50, 50)
    mixed = np.asarray(blend(pixels, labels, COLOURS, (50, 50)))
    assert mixed[24, 10].tolist() == [255, 255, 255]
    assert mixed[0, 0].tolist() == [185, 45, 45]


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100.0 %"), (0.1234, "12.3 %"), (0.0004, "< 0.1 %"), (0.0005, "0.1 %"), (0.0, "0.0 %")]
)
def test_shares_as_text(share: float, text: str):
    assert share_text(share) == text
