"""A folder of pictures becomes a folder of masks, a manifest and a page; nothing is lost or written elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny import NAMES

from ifseg_cli.core.errors import OutputError
from ifseg_cli.core.images.search import find_images
from ifseg_cli.core.prediction.engine.manifest import Failure, Record, append, read_failures, read_records
from ifseg_cli.core.prediction.engine.pipeline import predict_images
from ifseg_cli.core.prediction.engine.summary import Summary
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.recipe import PredictionSettings

SETTINGS = PredictionSettings(smoothing_iterations=1)


def photographs(root: Path, *names: str) -> Path:
    for i, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        small = np.random.default_rng(i).integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(small).resize((50, 40)).save(path)
    return root


def run(model: Model, inputs: Path, out: Path, settings: PredictionSettings = SETTINGS, **options: bool) -> Summary:
    return predict_images(model, find_images([inputs], out), out, settings, **options)


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_all_that_is_written(model: Model, tmp_path: Path):
    photographs(tmp_path / "in", "a.png", "sub/b.jpg")
    out = tmp_path / "in" / "masks"
    summary = run(model, tmp_path / "in", out)
    of_images = {
        f"{folder}{stem}{ending}"
        for stem in ("a", "sub/b")
        for folder, endings in {
            "": [".png"],
            "overlays/": [".jpg"],
            "thumbnails/": [".photo.jpg", ".labels.js"],
        }.items()
        for ending in endings
    }
    assert files(out) == of_images | {"index.html", "predictions.jsonl", "provenance.json", "classes.json"}
    assert files(tmp_path) == {f"in/masks/{name}" for name in files(out)} | {"in/a.png", "in/sub/b.jpg"}
    assert summary.done == 2 and not summary.failures


def test_the_manifest_tells_what_the_masks_hold(model: Model, tmp_path: Path):
    photographs(tmp_path / "in", "a.png", "sub/b.jpg")
    summary = run(model, tmp_path / "in", tmp_path / "out")
    records = list(read_records(tmp_path / "out"))
    assert [record.image for record in records] == ["a.png", "sub/b.jpg"]
    for record in records:
        mask = np.asarray(Image.open(tmp_path / "out" / record.mask))
        assert mask.shape == (record.height, record.width) == (40, 50)
        assert {area.value: area.pixels for area in record.classes} == dict(
            zip(*(values.tolist() for values in np.unique(mask, return_counts=True)), strict=True)
        )
        assert sum(area.share for area in record.classes) == pytest.approx(1, abs=1e-5)
        assert 0 < record.confidence <= 1 and record.seconds > 0
    assert summary.pixels_of.total() == 2 * 40 * 50
    assert sum(summary.share(name) for name in NAMES) == pytest.approx(1)
    assert set(summary.never_predicted) == set(NAMES) - set(summary.pixels_of)


def test_a_mask_is_what_python_gives(model: Model, tmp_path: Path):
    photographs(tmp_path / "in", "a.png")
    run(model, tmp_path / "in", tmp_path / "out")
    expected = model.predict(tmp_path / "in" / "a.png", SETTINGS).labels
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / "a.png")), expected)


def test_provenance_and_values_stand_beside(model: Model, tmp_path: Path):
    photographs(tmp_path / "in", "a.png")
    run(model, tmp_path / "in", tmp_path / "out", PredictionSettings(threshold=1.0))
    facts = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert facts["model_sha256"] == model.sha256 and len(model.sha256) == 64
    assert facts["settings"]["threshold"] == 1.0
    table = json.loads((tmp_path / "out" / "classes.json").read_text())
    assert table["ignore"] == 255
    assert [entry["name"] for entry in table["classes"]] == list(NAMES)
    assert set(table["classes"][0]) == {"value", "name", "colour"}
    assert (np.asarray(Image.open(tmp_path / "out" / "a.png")) == 255).all()
    record = next(read_records(tmp_path / "out"))
    assert record.ignored == 2000 and record.classes == ()


def test_what_cannot_be_read_is_listed_and_the_rest_done(model: Model, tmp_path: Path):
    photographs(tmp_path / "in", "a.png", "z.png")
    (tmp_path / "in" / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "in" / "empty.png").write_bytes(b"")
    seen: list[Record | Failure] = []
    sources = find_images([tmp_path / "in"])
    summary = predict_images(model, sources, tmp_path / "out", SETTINGS, on_image=seen.append)
    assert summary.done == 2
    assert [failure.image for failure in read_failures(tmp_path / "out")] == ["broken.jpg", "empty.png"]
    assert [type(each) for each in seen] == [Record, Failure, Failure, Record]
    assert {"broken.jpg", "empty.png"}.isdisjoint(files(tmp_path / "out"))
    page = (tmp_path / "out" / "index.html").read_text()
    assert "broken.jpg" in page and "is empty" in page


def test_two_suffixes_of_one_stem_give_two_masks(model: Model, tmp_path: Path):
    photographs(tmp_path / "in", "a.png", "a.jpg", "overlays/a.png", "thumbnails/a.photo.png")
    summary = run(model, tmp_path / "in", tmp_path / "out")
    assert summary.done == 4
    listed = [
        name
        for record in read_records(tmp_path / "out")
        for name in (record.mask, record.overlay, *(record.thumbnails or {}).values())
    ]
    assert len(set(listed)) == len(listed) == 4 * 4
    assert set(listed) <= files(tmp_path / "out")


def test_without_overlay_there_are_masks_alone(model: Model, tmp_path: Path):
    photographs(tmp_path / "in", "a.png")
    run(model, tmp_path / "in", tmp_path / "out", PredictionSettings(overlay=False))
    assert files(tmp_path / "out") == {"a.png", "predictions.jsonl", "provenance.json", "classes.json"}


def test_a_taken_folder_is_refused_and_overwritten_only_when_said(model: Model, tmp_path: Path):
    photographs(tmp_path / "in", "a.png")
    photographs(tmp_path / "out", "a.png")
    before = (tmp_path / "out" / "a.png").read_bytes()
    with pytest.raises(OutputError, match="--overwrite"):
        run(model, tmp_path / "in", tmp_path / "out")
    assert (tmp_path / "out" / "a.png").read_bytes() == before and files(tmp_path / "out") == {"a.png"}
    for _ in range(2):
        run(model, tmp_path / "in", tmp_path / "out", overwrite=True)
        assert len(list(read_records(tmp_path / "out"))) == 1


def test_an_old_page_does_not_outlive_its_masks(model: Model, tmp_path: Path):
    photographs(tmp_path / "in", "a.png")
    run(model, tmp_path / "in", tmp_path / "out")
    run(model, tmp_path / "in", tmp_path / "out", PredictionSettings(overlay=False), overwrite=True)
    assert not (tmp_path / "out" / "index.html").exists()


def test_a_photograph_is_never_written_over(model: Model, tmp_path: Path):
    photographs(tmp_path, "a.png")
    before = (tmp_path / "a.png").read_bytes()
    summary = predict_images(model, find_images([tmp_path / "a.png"]), tmp_path, SETTINGS, overwrite=True)
    assert summary.done == 0 and "would replace it; choose another --out" in summary.failures[0].error
    assert (tmp_path / "a.png").read_bytes() == before


def test_an_output_that_cannot_be_made_is_the_users_error(model: Model, tmp_path: Path):
    photographs(tmp_path / "in", "a.png")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError):
        run(model, tmp_path / "in", tmp_path / "file" / "out")


def test_half_a_line_is_no_line(tmp_path: Path):
    append(tmp_path, Failure("a", "/a", "broken"))
    with (tmp_path / "failures.jsonl").open("a") as file:
        file.write('{"image": "b", "pa')
    assert [failure.image for failure in read_failures(tmp_path)] == ["a"]


def test_confidence_of_every_pixel_beside_the_mask(model: Model, tmp_path: Path):
    photographs(tmp_path / "in", "a.png", "sub/b.png")
    settings = PredictionSettings(save_confidence=True, overlay=False)
    run(model, tmp_path / "in", tmp_path / "out", settings)
    for record in read_records(tmp_path / "out"):
        grey = np.asarray(Image.open(tmp_path / "out" / record.confidence_map))
        assert grey.dtype == np.uint8 and grey.shape == (record.height, record.width)
        assert abs(grey.mean() / 255 - record.confidence) < 1 / 255
    run(model, tmp_path / "in", tmp_path / "out", PredictionSettings(overlay=False), overwrite=True)
    assert not (tmp_path / "out" / "confidence").exists()
    photographs(tmp_path / "in", "confidence/c.png")
    summary = run(model, tmp_path / "in", tmp_path / "other", settings)
    assert summary.done == 2 and "lies in a folder 'confidence'" in summary.failures[0].error
