"""Exports are read back, by the tools' own readers where these are at hand, and give the masks again."""

from __future__ import annotations

import base64
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from command import ifseg
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as rle
from pycocotools.coco import COCO
from tiny import NAMES

from ifseg_cli.core.errors import OutputError
from ifseg_cli.core.images.classes import MaskClass
from ifseg_cli.core.images.search import find_images
from ifseg_cli.core.prediction.engine.manifest import Record, read_records
from ifseg_cli.core.prediction.engine.pipeline import predict_images
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.prediction.outputs.exports.exporting import FORMS, export
from ifseg_cli.core.prediction.outputs.exports.mmseg import mmseg
from ifseg_cli.core.recipe import PredictionSettings

shapely = pytest.importorskip("shapely", reason="the polygons extra is not installed")
from ifseg_cli.core.prediction.outputs.exports.polygons import outlines  # noqa: E402 - shapely is asked for first

# pycocotools' own, when it hands an array to a numpy that is newer than it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
IGNORE = 255
Values = NDArray[np.uint8]


@pytest.fixture(scope="module")
def out(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three masks with many regions and pixels without a category, in every form."""
    root = tmp_path_factory.mktemp("exports")
    for i, name in enumerate(("000000000007.png", "sub/12.jpg", "3.png")):
        path = root / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        small = np.random.default_rng(i).integers(0, 256, (6, 7, 3), dtype=np.uint8)
        Image.fromarray(small).resize((90 + i, 60)).save(path)
    settings = PredictionSettings(smoothing_iterations=0, threshold=0.35, overlay=False)
    predict_images(model, find_images([root / "in"], root / "out"), root / "out", settings)
    export(root / "out", list(FORMS))
    records = list(read_records(root / "out"))
    assert any(each.ignored for each in records) and any(len(each.classes) > 1 for each in records)
    return root / "out"


def masks(out: Path) -> dict[str, tuple[Record, Values]]:
    return {each.image: (each, np.asarray(Image.open(out / each.mask))) for each in read_records(out)}


def test_coco_gives_the_masks_again(out: Path):
    data = COCO(str(out / "exports" / "coco" / "annotations" / "instances_default.json"))
    assert [each["name"] for each in data.loadCats(data.getCatIds())] == list(NAMES)
    results = data.loadRes(str(out / "exports" / "coco" / "results.json"))
    assert sorted(data.imgs) == [3, 7, 12]  # numbers that the files are called by
    for image in data.imgs.values():
        _, values = masks(out)[image["file_name"]]
        assert (image["height"], image["width"]) == values.shape
        for source, first in ((data, 1), (results, 0)):
            found = np.full(values.shape, IGNORE, dtype=np.uint8)
            for each in source.loadAnns(source.getAnnIds(imgIds=image["id"])):
                pixels = source.annToMask(each).astype(bool)
                assert each["area"] == pixels.sum() and (found[pixels] == IGNORE).all()
                found[pixels] = each["category_id"] - first
            assert np.array_equal(found, values)


def test_detectron2s_form_goes_by_file_name(out: Path):
    for each in json.loads((out / "exports" / "coco" / "sem_seg_predictions.json").read_text()):
        assert set(each) == {"file_name", "category_id", "segmentation"}
        _, values = masks(out)[each["file_name"]]
        assert np.array_equal(rle.decode(each["segmentation"]) == 1, values == each["category_id"])


def test_pictures_without_numbers_are_numbered(model: Model, tmp_path: Path):
    (tmp_path / "in").mkdir()
    for name in ("7", "007"):  # the same number twice
        Image.new("RGB", (40, 30)).save(tmp_path / "in" / f"{name}.png")
    settings = PredictionSettings(overlay=False)
    predict_images(model, find_images([tmp_path / "in"], tmp_path / "out"), tmp_path / "out", settings)
    export(tmp_path / "out", ["coco"])
    images = json.loads((tmp_path / "out" / "exports" / "coco" / "annotations" / "instances_default.json").read_text())[
        "images"
    ]
    assert [each["id"] for each in images] == [1, 2]


def test_our_own_evaluation_reads_cocos_results(out: Path, tmp_path: Path):
    for folder, source in (("labels", out), ("images", out.parent / "in")):
        (tmp_path / folder).mkdir()
        for record in read_records(out):
            path = source / (record.mask if folder == "labels" else record.image)
            (tmp_path / folder / f"{int(Path(record.image).stem):012d}{path.suffix}").write_bytes(path.read_bytes())
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    pair = ["--images", "images", "--labels", "labels", "--classes", "names.txt", "--json"]
    done = ifseg("evaluate", *pair, "--predictions", out / "exports" / "coco" / "results.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["numbers"]["mIoU"] == 1.0


def test_cvat_gives_the_masks_again(out: Path):
    folder = out / "exports" / "cvat"
    lines = [line.split(":") for line in (folder / "labelmap.txt").read_text().splitlines()[1:]]
    values_of = {tuple(map(int, colour.split(","))): i - 1 for i, (_, colour, _, _) in enumerate(lines)}
    assert [name for name, *_ in lines] == ["background", *NAMES] and len(values_of) == len(lines)
    assert lines[0][1] == "0,0,0"
    names = (folder / "ImageSets" / "Segmentation" / "default.txt").read_text().split()
    for record, values in masks(out).values():
        assert record.mask.removesuffix(".png") in names
        seen = np.asarray(Image.open(folder / "SegmentationClass" / record.mask).convert("RGB"))
        found = np.apply_along_axis(lambda colour: values_of[tuple(colour)], 2, seen)
        assert np.array_equal(found, np.where(values == IGNORE, -1, values.astype(int)))
        objects = Image.open(folder / "SegmentationObject" / record.mask)
        assert objects.getpalette()[:12] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]  # VOC's
        numbers = np.asarray(objects)
        for number, area in enumerate(record.classes, 1):
            assert np.array_equal(numbers == number, values == area.value)


def test_mmseg_gives_the_masks_again(out: Path):
    folder = out / "exports" / "mmseg"
    about = json.loads((folder / "metainfo.json").read_text())
    assert about["classes"] == list(NAMES) and len(about["palette"]) == len(NAMES)
    assert len((folder / "all.txt").read_text().split()) == 3
    for record, values in masks(out).values():
        assert np.array_equal(np.asarray(Image.open(folder / "ann_dir" / record.mask)), values)
        picture = (folder / "img_dir" / record.mask).with_suffix(Path(record.image).suffix)
        assert picture.read_bytes() == Path(record.path).read_bytes()


def test_mmseg_counts_classes_from_zero_whatever_their_values(tmp_path: Path):
    classes = [MaskClass(7, "cat", (1, 2, 3)), MaskClass(300, "dog", (4, 5, 6))]
    with mmseg(tmp_path / "mmseg", classes, tmp_path):
        pass
    assert json.loads((tmp_path / "mmseg" / "metainfo.json").read_text())["palette"] == [[1, 2, 3], [4, 5, 6]]
    with (
        pytest.raises(OutputError, match="at most 255"),
        mmseg(tmp_path, [MaskClass(i, f"{i}") for i in range(256)], tmp_path),
    ):
        pass


def test_labelme_gives_the_masks_again(out: Path):
    for record, values in masks(out).values():
        path = out / "exports" / "labelme" / record.mask.replace(".png", ".json")
        read = json.loads(path.read_text())
        assert (path.parent / read["imagePath"]).resolve() == Path(record.path).resolve()
        found = np.full((read["imageHeight"], read["imageWidth"]), IGNORE, dtype=np.uint8)
        for shape in read["shapes"]:
            (left, top), (right, bottom) = shape["points"]
            part = np.asarray(Image.open(io.BytesIO(base64.b64decode(shape["mask"]))))
            found[top : bottom + 1, left : right + 1][part] = NAMES.index(shape["label"])
        assert np.array_equal(found, values)


def test_polygons_lie_over_the_masks(out: Path):
    for record, values in masks(out).values():
        read = json.loads((out / "exports" / "polygons" / record.mask.replace(".png", ".json")).read_text())
        found = np.full(values.shape, IGNORE, dtype=np.uint8)
        for each in read["polygons"]:
            found[inside([(each["outline"], each["holes"])], values.shape)] = each["value"]
            assert each["name"] == NAMES[each["value"]]
        assert (found == values).mean() > 0.97


def inside(polygons: list[tuple[object, object]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels whose centres lie in one of some polygons."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    return np.any([shapely.contains_xy(shapely.Polygon(*each), columns, rows) for each in polygons], axis=0)


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 2)))
def test_without_simplification_outlines_are_the_mask(values: Values):
    found = outlines(values, 0)
    assert sum(area for _, area, _, _ in found) == values.size
    counted = np.zeros(values.shape, dtype=int)
    for value, _, outer, holes in found:
        pixels = inside([(outer, holes)], values.shape)
        assert (values[pixels] == value).all()
        counted += pixels
    assert (counted == 1).all()


@given(arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3)), st.floats(0, 5))
def test_simplified_outlines_still_fill_the_picture(values: Values, tolerance: float):
    found = outlines(values, tolerance)
    polygons = [shapely.Polygon(outer, holes) for _, _, outer, holes in found]
    assert abs(sum(each.area for each in polygons) - values.size) < 1e-6 * values.size
    assert shapely.coverage_is_valid(polygons)


def test_a_finished_run_is_exported_without_segmenting_again(model: Model, out: Path, tmp_path: Path):
    before = (out / "predictions.jsonl").read_bytes()
    export(out, ["labelme"])
    assert (out / "predictions.jsonl").read_bytes() == before
    mask = out / next(iter(read_records(out))).mask
    mask.rename(tmp_path / "gone.png")
    export(out, ["coco", "cvat"])  # a mask that was deleted is left out
    (tmp_path / "gone.png").rename(mask)


@pytest.mark.parametrize("form", ["labelme", "polygons"])
def test_what_somebody_has_edited_stays(out: Path, form: str):
    record = next(iter(read_records(out)))
    path = out / "exports" / form / record.mask.replace(".png", ".json")
    written = path.read_text()
    path.write_text("edited")
    now = (out / record.mask).stat().st_mtime_ns
    os.utime(path, ns=(now, now))
    export(out, [form])
    assert path.read_text() == "edited"
    later = path.stat().st_mtime_ns + 10**9
    os.utime(out / record.mask, ns=(later, later))  # as if the mask was made again
    export(out, [form])
    assert path.read_text() == written
