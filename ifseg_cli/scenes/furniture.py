"""What stands on a floor: tables and sofas, in the round."""

from __future__ import annotations

from dataclasses import dataclass

from ifseg_cli.scenes.canvas import Canvas, Paint
from ifseg_cli.scenes.movers import paint_colour
from ifseg_cli.scenes.shapes import ellipse
from ifseg_cli.scenes.surfaces import Surfaces, lit, plain
from ifseg_cli.scenes.textures import Rng
from ifseg_cli.scenes.view import Point, View


@dataclass(frozen=True)
class Stand:
    """A block of the floor: `left` to `right` in metres from the centre, from scale `near` back to `far`."""

    view: View
    left: float
    right: float
    near: float
    far: float

    def front(self, low: float, high: float, left: float, right: float, behind: bool = False) -> list[Point]:
        """A rectangle that faces us, on the near or the far side."""
        scale, at = (self.far if behind else self.near), self.view.at
        return [at(left, scale, low), at(right, scale, low), at(right, scale, high), at(left, scale, high)]

    def top(self, up: float, left: float, right: float) -> list[Point]:
        """A rectangle that lies."""
        at = self.view.at
        return [at(left, self.near, up), at(right, self.near, up), at(right, self.far, up), at(left, self.far, up)]

    def flank(self, low: float, high: float, x: float) -> list[Point]:
        """A rectangle that runs ahead."""
        at = self.view.at
        return [at(x, self.near, low), at(x, self.far, low), at(x, self.far, high), at(x, self.near, high)]


def stand(view: View, x: float, scale: float, wide: float, deep: float) -> Stand:
    """`wide` and `deep` metres of floor, the near edge at that scale."""
    return Stand(view, x - wide / 2, x + wide / 2, scale, view.focal / (view.focal / scale + deep))


def table(canvas: Canvas, surfaces: Surfaces, rng: Rng, x: float, scale: float) -> None:
    """A top on four legs, or one with a cloth; 0.9 to 2.2 m wide."""
    place = stand(canvas.view, x, scale, rng.uniform(0.9, 2.2), rng.uniform(0.6, 1.1))
    high, leg = rng.uniform(0.45, 0.85), rng.uniform(0.04, 0.09)
    canvas.shade(0.65, place.top(0, place.left - 0.1, place.right + 0.1))
    board: Paint = surfaces.front("wood", scale, (1, 1, 1), 1) if rng.random() < 0.7 else plain(paint_colour(rng))
    dark = lit(board, lambda a, _: 0.7 + 0 * a)
    for behind in (True, False):
        for left in (place.left + 0.04, place.right - 0.04 - leg):
            canvas.fill(
                "table",
                dark if behind else lit(board, lambda a, _: 0.85 + 0 * a),
                place.front(0, high, left, left + leg, behind),
            )
    if rng.random() < 0.2:
        cloth = surfaces.front("fabric", scale, (1, 1, 1), 2)
        canvas.fill(
            "table",
            lit(cloth, lambda a, _: 0.8 + 0 * a),
            place.front(high - rng.uniform(0.15, 0.5), high, place.left, place.right),
        )
        board = cloth
    if canvas.view.camera > high:
        canvas.fill("table", board, place.top(high, place.left, place.right))
    canvas.fill("table", dark, place.front(high - 0.07, high, place.left, place.right))
    if rng.random() < 0.3:
        canvas.fill("table", dark, place.front(high - 0.24, high - 0.07, place.left + 0.05, place.right - 0.05))


def sofa(canvas: Canvas, surfaces: Surfaces, rng: Rng, x: float, scale: float) -> None:
    """Back, seats and arms in one cloth, with cushions; 1 to 2.6 m wide."""
    place = stand(canvas.view, x, scale, rng.uniform(1.0, 2.6), 0.85)
    left, right = place.left, place.right
    arm, seat, back = rng.uniform(0.12, 0.26), rng.uniform(0.36, 0.48), rng.uniform(0.75, 1.0)
    canvas.shade(0.6, place.top(0, left - 0.1, right + 0.15))
    tint = (float(rng.uniform(0.6, 1.4)), float(rng.uniform(0.6, 1.4)), float(rng.uniform(0.6, 1.4)))
    cloth = surfaces.front("fabric", scale, tint, 1)

    def shaded(factor: float) -> Paint:
        return lit(cloth, lambda a, _: factor + 0 * a)

    canvas.fill("sofa", shaded(0.9), place.front(seat - 0.1, back, left, right, behind=True))
    canvas.fill("sofa", shaded(1.12), place.top(seat, left + arm, right - arm))
    canvas.fill("sofa", shaded(0.78), place.front(0.1, seat, left + arm, right - arm))
    seats = max(1, round((right - left - 2 * arm) / 0.7))
    for at in range(1, seats):
        seam = left + arm + at * (right - left - 2 * arm) / seats
        canvas.shade(0.6, place.front(0.12, seat, seam - 0.015, seam + 0.015))
        canvas.shade(0.7, place.front(seat, back, seam - 0.015, seam + 0.015, behind=True))
    for inner, outer in ((left + arm, left), (right - arm, right)):
        canvas.fill("sofa", shaded(0.65), place.flank(seat - 0.02, seat + 0.2, inner))
        canvas.fill("sofa", shaded(1.1), place.top(seat + 0.2, min(inner, outer), max(inner, outer)))
        canvas.fill("sofa", shaded(0.92), place.front(0.06, seat + 0.2, min(inner, outer), max(inner, outer)))
    for _ in range(int(rng.integers(0, 3))):
        middle = canvas.view.at(
            float(rng.uniform(left + arm + 0.2, max(right - arm - 0.2, left + arm + 0.25))),
            (place.near + place.far) / 2,
            seat + 0.2,
        )
        canvas.fill("sofa", plain(paint_colour(rng)), ellipse(*middle, 0.22 * place.far, 0.2 * place.far))
