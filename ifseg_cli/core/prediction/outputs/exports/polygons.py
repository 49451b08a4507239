"""Outlines: a JSON a picture, what annotators edit.

The borders between categories are cut where three meet, and each piece is simplified once for both sides (Visvalingam
and Whyatt, by `shapely.coverage_simplify`): neighbours keep one border between them, without gaps and overlaps.
A file that is younger than its mask stays as it is: somebody may have edited it.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from math import hypot
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.files import write_text
from ifseg_cli.core.images.classes import MaskClass
from ifseg_cli.core.prediction.outputs.exports.form import Add, Mask, below, is_current, picture_from

if TYPE_CHECKING:
    import shapely

DETAIL = 0.0015  # of the diagonal: triangles of a smaller side are smoothed away
Ring = list[list[float]]


@contextmanager
def polygons(folder: Path, classes: Sequence[MaskClass], out: Path) -> Generator[Add]:
    """One file a picture. Needs shapely (`prediction/run.py` asks for it first)."""
    names = {each.value: each.name for each in classes}

    def add(mask: Mask) -> None:
        path = below(folder, mask.name, ".json")
        if is_current(path, out, mask):
            return
        record = mask.record
        found = [
            {"name": names[value], "value": value, "area": area, "outline": outer, "holes": holes}
            for value, area, outer, holes in outlines(mask.values, DETAIL * hypot(record.width, record.height))
            if value in names
        ]
        about = {"image": picture_from(path.parent, record), "width": record.width, "height": record.height}
        write_text(path, _compact(about, found))

    yield add


def _compact(about: Mapping[str, object], found: Sequence[Mapping[str, object]]) -> str:
    """JSON with a line a polygon: indented, the corners would take a line a number."""
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in found)
    return f'{json.dumps(about, ensure_ascii=False)[:-1]}, "polygons": [\n{lines}\n]}}\n'


def outlines(
    values: NDArray[np.uint8] | NDArray[np.uint16], tolerance: float
) -> list[tuple[int, float, Ring, list[Ring]]]:
    """Every connected region of one value: (value, area in pixels, outline, holes), the largest first.

    Args:
        values: (H, W).
        tolerance: sides of triangles that are smoothed away, in pixels; 0 keeps every corner.

    Returns:
        Corners as [x, y] in pixels, (0, 0) the upper left corner of the picture; the first is not repeated at the end.
    """
    import shapely

    lines = [shapely.LineString(piece) for piece in border_pieces(values)]
    faces = [face for face in shapely.polygonize(lines).geoms if isinstance(face, shapely.Polygon)]
    inside = shapely.get_coordinates(shapely.point_on_surface(faces)).astype(int)
    simple = shapely.coverage_simplify(faces, tolerance, simplify_boundary=False)
    found = [
        (int(values[row, column]), round(face.area, 1), _ring(face.exterior), [_ring(hole) for hole in face.interiors])
        for (column, row), face in zip(inside, simple, strict=True)
    ]
    return sorted(found, key=lambda each: -each[1])


def border_pieces(values: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.float64]:
    """(n, 2, 2) straight pieces of all borders, the picture's frame among them: [[x, y], [x, y]]."""
    framed = np.full((values.shape[0] + 2, values.shape[1] + 2), -1, dtype=np.int32)
    framed[1:-1, 1:-1] = values
    across = framed[1:, 1:-1] != framed[:-1, 1:-1]  # (H + 1, W): a border above pixel (y, x)
    down = framed[1:-1, 1:] != framed[1:-1, :-1]  # (H, W + 1): a border left of it
    rows = _runs(across, np.pad(down, ((1, 0), (0, 0))) | np.pad(down, ((0, 1), (0, 0))))
    columns = _runs(down.T, (np.pad(across, ((0, 0), (1, 0))) | np.pad(across, ((0, 0), (0, 1)))).T)[:, :, ::-1]
    return np.concatenate([rows, columns]).astype(np.float64)


def _runs(edges: NDArray[np.bool_], crossed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Runs of edges along rows, cut where other borders come in: (n, 2, 2) as [[x, y], [x, y]].

    Args:
        edges: (R, n): which of the n steps of each row are a border.
        crossed: (R, n + 1): at which of its n + 1 points another border comes in.
    """
    before = np.pad(edges, ((0, 0), (1, 0)))  # at each point: the step that ends there
    after = np.pad(edges, ((0, 0), (0, 1)))  # and the one that begins there
    begins, ends = np.argwhere(after & (~before | crossed)), np.argwhere(before & (~after | crossed))
    return np.stack([begins[:, ::-1], ends[:, ::-1]], axis=1)


def _ring(ring: shapely.LinearRing) -> Ring:
    import shapely

    return shapely.get_coordinates(ring)[:-1].tolist()
