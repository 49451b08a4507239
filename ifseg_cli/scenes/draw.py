"""One scene of a seed.

Scene k depends on (seed, k) alone, and on two generators made from them: the layout's (what stands where) and the
appearance's (what it looks like, and the camera). So scenes can be drawn in any order, by any number of processes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.scenes.camera import take
from ifseg_cli.scenes.canvas import Canvas, Colour
from ifseg_cli.scenes.landscape import draw_landscape, landscape_view
from ifseg_cli.scenes.room import draw_room, room_view
from ifseg_cli.scenes.street import draw_street, street_view
from ifseg_cli.scenes.surfaces import Surfaces
from ifseg_cli.scenes.textures import Rng

SIDES = (320, 640)  # pixels a side, where the caller leaves it open
SHARES = (0.36, 0.34, 0.30)  # of landscapes, streets, rooms
WORLDS = ((landscape_view, draw_landscape), (street_view, draw_street), (room_view, draw_room))


def scene(
    seed: int, index: int, size: tuple[int, int] | None = None, *, flat: Mapping[str, Colour] | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Scene number `index` of a seed.

    Args:
        seed: 0 or more.
        index: counted from 0.
        size: (height, width) in pixels; None: drawn with the layout, 320 to 640 a side, upright or lying.
        flat: category -> the one colour it is painted in, unlit and seen by no camera, to compare truth and picture.

    Returns:
        The picture (H, W, 3) uint8 and the label of every pixel (H, W) uint8, an index into `CATEGORIES`.
    """
    layout, appearance = _generators(seed, index)
    drawn_size = tuple(int(side) for side in layout.integers(SIDES[0], SIDES[1] + 1, 2))
    height, width = size or (drawn_size[0], drawn_size[1])
    make_view, draw = WORLDS[int(layout.choice(len(WORLDS), p=SHARES))]
    canvas = Canvas(make_view(layout, height, width), appearance, flat)
    draw(canvas, Surfaces(canvas), layout)
    return (canvas.picture if flat else take(canvas.picture, appearance)), canvas.labels


def _generators(seed: int, index: int) -> tuple[Rng, Rng]:
    layout, appearance = np.random.SeedSequence(entropy=seed, spawn_key=(index,)).spawn(2)
    return np.random.Generator(np.random.Philox(layout)), np.random.Generator(np.random.Philox(appearance))
