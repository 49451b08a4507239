"""What comes and goes: cars, boats, people. Silhouettes with the parts by which a person knows them."""

from __future__ import annotations

from ifseg_cli.scenes.canvas import Canvas, Colour
from ifseg_cli.scenes.nature import foot_shadow
from ifseg_cli.scenes.shapes import Points, box, ellipse
from ifseg_cli.scenes.surfaces import plain, rounded
from ifseg_cli.scenes.textures import Rng
from ifseg_cli.scenes.view import Point

SKINS: tuple[Colour, ...] = ((235, 195, 165), (200, 150, 115), (150, 100, 70), (95, 65, 50))
GLASS: Colour = (60, 75, 90)
RUBBER: Colour = (28, 28, 30)
# Side views in units of their length, y upwards from the ground, facing right.
CARS: tuple[tuple[Points, Points], ...] = (
    (
        (
            (-0.5, 0.08),
            (-0.5, 0.2),
            (-0.44, 0.24),
            (-0.3, 0.25),
            (-0.17, 0.37),
            (0.1, 0.37),
            (0.24, 0.24),
            (0.46, 0.2),
            (0.5, 0.08),
        ),
        ((-0.25, 0.25), (-0.15, 0.345), (0.09, 0.345), (0.19, 0.25)),
    ),
    (
        ((-0.48, 0.09), (-0.5, 0.26), (-0.43, 0.41), (0.12, 0.41), (0.28, 0.26), (0.47, 0.22), (0.49, 0.09)),
        ((-0.43, 0.27), (-0.38, 0.38), (0.1, 0.38), (0.22, 0.27)),
    ),
    (
        ((-0.5, 0.08), (-0.5, 0.47), (0.3, 0.47), (0.42, 0.28), (0.5, 0.25), (0.5, 0.08)),
        ((0.08, 0.28), (0.08, 0.43), (0.28, 0.43), (0.38, 0.28)),
    ),
)


def paint_colour(rng: Rng) -> Colour:
    """Any colour that people paint things in: a third of them without hue."""
    if rng.random() < 0.35:
        value = float(rng.uniform(25, 245))
        return value, value, value
    red, green, blue = rng.uniform(20, 235, 3)
    return float(red), float(green), float(blue)


def car(canvas: Canvas, rng: Rng, foot: Point, scale: float) -> None:
    """From the side, or from the front or the back."""
    foot_shadow(canvas, foot, 2.1 * scale)
    if rng.random() < 0.6:
        _car_side(canvas, rng, foot, rng.uniform(3.8, 4.8) * scale)
    else:
        _car_front(canvas, rng, foot, rng.uniform(1.7, 2.0) * scale)


def _car_side(canvas: Canvas, rng: Rng, foot: Point, length: float) -> None:
    facing = float(rng.choice([-1, 1])) * length
    body, glass = CARS[int(rng.integers(len(CARS)))]
    colour = paint_colour(rng)
    lacquer = rounded(plain(colour), foot[0], foot[1] - 0.2 * length, length, 0.22 * length, 0.35)
    canvas.fill("car", lacquer, _placed(body, foot, facing, length))
    canvas.fill("car", plain(GLASS), _placed(glass, foot, facing, length))
    post = _placed(((-0.06, 0.25), (-0.06, 0.36), (-0.03, 0.36), (-0.03, 0.25)), foot, facing, length)
    canvas.fill("car", plain(colour), post)
    for wheel in (-0.3, 0.31):
        x, y = foot[0] + wheel * facing, foot[1] - 0.085 * length
        canvas.fill("car", plain(RUBBER), ellipse(x, y, 0.085 * length, 0.085 * length))
        canvas.fill("car", plain((150, 150, 155)), ellipse(x, y, 0.045 * length, 0.045 * length))
    lamp = _placed(((0.45, 0.16), (0.45, 0.2), (0.485, 0.18), (0.485, 0.16)), foot, facing, length)
    canvas.fill("car", plain((245, 240, 200)), lamp)


def _car_front(canvas: Canvas, rng: Rng, foot: Point, wide: float) -> None:
    (x, y), high = foot, wide * rng.uniform(0.75, 0.95)
    colour = paint_colour(rng)
    tyres = [box(x + a * wide, y - 0.25 * high, x + (a + 0.14) * wide, y) for a in (-0.46, 0.32)]
    canvas.fill("car", plain(RUBBER), *tyres)
    lower = box(x - 0.5 * wide, y - 0.6 * high, x + 0.5 * wide, y - 0.12 * high)
    cabin = [
        (x - 0.44 * wide, y - 0.6 * high),
        (x - 0.32 * wide, y - high),
        (x + 0.32 * wide, y - high),
        (x + 0.44 * wide, y - 0.6 * high),
    ]
    canvas.fill("car", rounded(plain(colour), x, y - 0.5 * high, wide, 0.5 * high, 0.35), lower, cabin)
    pane = [
        (x - 0.36 * wide, y - 0.62 * high),
        (x - 0.28 * wide, y - 0.94 * high),
        (x + 0.28 * wide, y - 0.94 * high),
        (x + 0.36 * wide, y - 0.62 * high),
    ]
    canvas.fill("car", plain(GLASS), pane)
    lamps: Colour = (245, 240, 205) if rng.random() < 0.5 else (200, 30, 30)
    canvas.fill(
        "car", plain(lamps), *(ellipse(x + a * wide, y - 0.45 * high, 0.08 * wide, 0.06 * high) for a in (-0.38, 0.38))
    )
    canvas.fill("car", plain((225, 225, 220)), box(x - 0.14 * wide, y - 0.33 * high, x + 0.14 * wide, y - 0.24 * high))


def boat(canvas: Canvas, rng: Rng, foot: Point, scale: float) -> None:
    """A hull with a mast and sails, or with a cabin, or bare; 4 to 8 m."""
    (x, y), length = foot, rng.uniform(4, 8) * scale
    facing = float(rng.choice([-1, 1])) * length
    canvas.shade(0.7, ellipse(x, y + 0.02 * length, 0.5 * length, 0.05 * length))
    kind = rng.random()
    if kind < 0.45:
        canvas.fill("boat", plain((90, 70, 55)), box(x - 0.012 * length, y - 1.15 * length, x + 0.012 * length, y))
        sail = ((0.03, 0.2), (0.03, 1.1), (0.45, 0.24)), ((-0.03, 0.2), (-0.03, 0.98), (-0.38, 0.22))
        cloth: Colour = (240, 238, 230) if rng.random() < 0.7 else paint_colour(rng)
        canvas.fill(
            "boat",
            rounded(plain(cloth), x, y - 0.6 * length, length, length, 0.15),
            *(_placed(each, foot, facing, length) for each in sail),
        )
    elif kind < 0.8:
        cabin = _placed(((-0.25, 0.1), (-0.22, 0.34), (0.08, 0.34), (0.16, 0.1)), foot, facing, length)
        canvas.fill("boat", plain((235, 235, 230)), cabin)
        panes = (
            _placed(((a, 0.21), (a, 0.29), (a + 0.07, 0.29), (a + 0.07, 0.21)), foot, facing, length)
            for a in (-0.18, -0.07, 0.03)
        )
        canvas.fill("boat", plain(GLASS), *panes)
    hull = ((-0.5, 0.17), (0.55, 0.2), (0.4, -0.01), (-0.42, -0.01))
    colour = paint_colour(rng)
    canvas.fill(
        "boat",
        rounded(plain(colour), x, y - 0.1 * length, length, 0.12 * length, 0.3),
        _placed(hull, foot, facing, length),
    )
    rim = ((-0.5, 0.17), (0.55, 0.2), (0.53, 0.17), (-0.49, 0.14))
    canvas.fill("boat", plain((245, 245, 240)), _placed(rim, foot, facing, length))


def person(canvas: Canvas, rng: Rng, foot: Point, scale: float) -> None:
    """Standing or walking, 1.5 to 1.9 m, with hair, coat and legs."""
    (x, y), high = foot, rng.uniform(1.5, 1.9) * scale
    foot_shadow(canvas, foot, 0.2 * high)
    skin = plain(SKINS[int(rng.integers(len(SKINS)))])
    stride = high * rng.uniform(0.02, 0.13)
    hip, shoulder, chin = y - 0.48 * high, y - 0.82 * high, y - 0.86 * high
    wide = high * rng.uniform(0.1, 0.14)
    legs = plain(paint_colour(rng))
    for side in (-1, 1):
        at = x + side * stride
        canvas.fill(
            "person",
            legs,
            [(x - 0.055 * high, hip), (x + 0.055 * high, hip), (at + 0.035 * high, y), (at - 0.035 * high, y)],
        )
        canvas.fill("person", plain(RUBBER), ellipse(at + 0.015 * high, y - 0.012 * high, 0.05 * high, 0.018 * high))
    coat = rounded(plain(paint_colour(rng)), x, (hip + shoulder) / 2, wide, 0.2 * high, 0.25)
    hem = hip + high * rng.uniform(-0.02, 0.18)
    reach = high * rng.uniform(0.02, 0.12)
    for side in (-1, 1):
        hand = (x + side * (wide + reach), y - 0.45 * high)
        sleeve = [
            (x + side * wide * 0.6, shoulder),
            (x + side * wide, shoulder + 0.03 * high),
            (hand[0] + 0.02 * high, hand[1]),
            (hand[0] - 0.02 * high, hand[1]),
        ]
        canvas.fill("person", coat, sleeve)
        canvas.fill("person", skin, ellipse(hand[0], hand[1], 0.024 * high, 0.03 * high))
    canvas.fill(
        "person",
        coat,
        [
            (x - wide, shoulder + 0.02 * high),
            (x - wide * 0.5, shoulder - 0.02 * high),
            (x + wide * 0.5, shoulder - 0.02 * high),
            (x + wide, shoulder + 0.02 * high),
            (x + wide * 0.95, hem),
            (x - wide * 0.95, hem),
        ],
    )
    canvas.fill("person", skin, box(x - 0.025 * high, chin - 0.01 * high, x + 0.025 * high, shoulder))
    hair = plain((float(rng.uniform(20, 190)), float(rng.uniform(15, 130)), float(rng.uniform(10, 70))))
    canvas.fill("person", hair, ellipse(x, y - 0.94 * high, 0.058 * high, 0.066 * high))
    canvas.fill("person", skin, ellipse(x, y - 0.92 * high, 0.046 * high, 0.058 * high))


def _placed(outline: Points, foot: Point, facing: float, length: float) -> list[Point]:
    """An outline in units of a length, y upwards, at its foot; a negative `facing` looks left."""
    return [(foot[0] + a * facing, foot[1] - b * length) for a, b in outline]
