"""The same command again does what is missing and nothing else; what differs is refused and named."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ifseg_cli.core.errors import OutputError
from ifseg_cli.core.images.search import find_images
from ifseg_cli.core.prediction.engine import pipeline
from ifseg_cli.core.prediction.engine.manifest import Failure, Record, read_failures, read_records
from ifseg_cli.core.prediction.engine.pipeline import predict_images
from ifseg_cli.core.prediction.engine.summary import Summary
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.recipe import PredictionSettings

SETTINGS = PredictionSettings(smoothing_iterations=1, overlay=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, name in enumerate(("a.png", "b.png", "sub/a.png")):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        small = np.random.default_rng(number).integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(small).resize((50, 40)).save(path)
    return tmp_path


def run(
    model: Model, folder: Path, settings: PredictionSettings = SETTINGS, stop: int = 99, **options: bool
) -> Summary:
    seen: list[Record | Failure] = []
    return predict_images(
        model,
        find_images([folder / "in"], folder / "out"),
        folder / "out",
        settings,
        on_image=seen.append,
        stopped=lambda: len(seen) >= stop,
        **options,
    )


def times(folder: Path) -> dict[str, int]:
    return {path.name + path.parent.name: path.stat().st_mtime_ns for path in (folder / "out").rglob("*.png")}


def masks(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in (folder / "out").rglob("*.png")}


def test_a_run_that_was_stopped_goes_on(model: Model, folder: Path) -> None:
    """What is in the making when it is stopped is finished, and has its line."""
    for number in range(20):
        (folder / "in" / f"c{number}.png").write_bytes((folder / "in" / "b.png").read_bytes())
    assert run(model, folder, stop=1).interrupted
    first = times(folder)
    assert 1 <= len(first) < 10 and len(first) == len(list(read_records(folder / "out")))
    summary = run(model, folder)
    assert (summary.done, summary.before, len(list(read_records(folder / "out")))) == (23, len(first), 23)
    assert first.items() <= times(folder).items()
    undisturbed = masks(folder)
    run(model, folder, overwrite=True)
    assert masks(folder) == undisturbed


def test_done_is_done(model: Model, folder: Path) -> None:
    run(model, folder)
    before = times(folder)
    summary = run(model, folder)
    assert (summary.done, summary.before) == (3, 3) and times(folder) == before
    assert summary.pixels_of.total() == 3 * 40 * 50  # the summary is of all, whenever they were done


def test_a_picture_that_changed_is_done_again(model: Model, folder: Path) -> None:
    run(model, folder)
    before = masks(folder)
    Image.new("RGB", (50, 40), "red").save(folder / "in" / "b.png")
    os.utime(folder / "in" / "a.png", ns=(1, 1))
    summary = run(model, folder)
    assert summary.before == 1 and next(record.image for record in read_records(folder / "out")) == "sub/a.png"
    after = masks(folder)
    assert {name for name in after if after[name] != before[name]} == {"out/b.png"}


def test_a_mask_that_is_gone_is_made_again_and_half_a_line_is_forgotten(model: Model, folder: Path) -> None:
    run(model, folder)
    (folder / "out" / "sub" / "a.png").unlink()
    with (folder / "out" / "predictions.jsonl").open("a") as file:
        file.write('{"image": "ghost.png", "pa')
    assert run(model, folder).before == 2
    lines = (folder / "out" / "predictions.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["image"] for line in lines) == ["a.png", "b.png", "sub/a.png"]


def test_a_picture_that_broke_since_leaves_no_old_mask(model: Model, folder: Path) -> None:
    run(model, folder, SETTINGS.model_copy(update={"overlay": True, "save_confidence": True}))
    (folder / "in" / "b.png").write_bytes(b"broken")
    summary = run(model, folder, SETTINGS.model_copy(update={"overlay": True, "save_confidence": True}))
    assert (summary.done, [each.image for each in summary.failures]) == (2, ["b.png"])
    left = [path for path in (folder / "out").rglob("b*") if path.is_file()]
    assert left == []


def test_failures_are_tried_again(model: Model, folder: Path) -> None:
    whole = (folder / "in" / "b.png").read_bytes()
    (folder / "in" / "b.png").write_bytes(b"")
    assert len(run(model, folder).failures) == 1
    (folder / "in" / "b.png").write_bytes(whole)
    assert run(model, folder).done == 3 and list(read_failures(folder / "out")) == []


def test_other_settings_are_refused_and_named(model: Model, folder: Path) -> None:
    run(model, folder)
    with pytest.raises(
        OutputError, match=r"smoothing_iterations was 1, is 2; say --overwrite, or choose another --out"
    ):
        run(model, folder, SETTINGS.model_copy(update={"smoothing_iterations": 2}))
    more = SETTINGS.model_copy(update={"max_pixels": 10**9, "accept_truncated": True})
    assert run(model, folder, more).before == 3  # what decides what fails changes no mask
    made = json.loads((folder / "out" / "provenance.json").read_text())
    (folder / "out" / "provenance.json").write_text(json.dumps(made | {"model_sha256": "0" * 64}))
    with pytest.raises(OutputError, match="masks of another model"):
        run(model, folder)


def test_other_pictures_of_the_same_names_are_refused(model: Model, folder: Path) -> None:
    run(model, folder)
    (folder / "in").rename(folder / "elsewhere")
    (folder / "in").mkdir()
    (folder / "elsewhere" / "a.png").rename(folder / "in" / "a.png")
    assert run(model, folder).before == 1  # the same path; the others' masks stay
    assert len(list(read_records(folder / "out"))) == len(masks(folder)) == 3
    with pytest.raises(OutputError, match="the mask of another picture by the same name"):
        predict_images(model, find_images([folder / "elsewhere"]), folder / "out", SETTINGS)


def test_a_folder_of_the_users_is_still_refused(model: Model, folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        run(model, folder)


def test_killed_before_the_first_picture(model: Model, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands there of what a run begins with, the same command begins."""
    monkeypatch.setattr(pipeline, "write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(model, folder)
    monkeypatch.undo()
    (folder / "out" / ".ifseg-abc.part").write_bytes(b"half")
    assert (folder / "out" / "classes.json").exists() and not (folder / "out" / "predictions.jsonl").exists()
    assert run(model, folder).done == 3


def test_what_a_killed_run_left_half_written_goes(model: Model, folder: Path) -> None:
    run(model, folder, stop=1)
    (folder / "out" / "sub").mkdir(exist_ok=True)
    (folder / "out" / "sub" / ".ifseg-xyz.part").write_bytes(b"half")
    run(model, folder)
    assert not list((folder / "out").rglob(".ifseg-*"))


def test_every_line_says_what_it_was_made_from_and_by(model: Model, folder: Path) -> None:
    run(model, folder)
    for record in read_records(folder / "out"):
        found = Path(record.path).stat()
        assert (record.size, record.mtime, len(record.run)) == (found.st_size, found.st_mtime_ns, 16)


def test_of_two_lines_the_last_is_of_the_mask_that_is_there(model: Model, folder: Path) -> None:
    """A run that was killed before it dropped the old line, and a picture that is then what it was before."""
    run(model, folder)
    ledger, picture = folder / "out" / "predictions.jsonl", folder / "in" / "b.png"
    old, before = (
        next(line for line in ledger.read_text().splitlines() if '"b.png"' in line),
        picture.stat().st_mtime_ns,
    )
    whole, first = picture.read_bytes(), masks(folder)
    Image.new("RGB", (50, 40), "red").save(picture)
    run(model, folder)
    ledger.write_text(old + "\n" + ledger.read_text())
    picture.write_bytes(whole)
    os.utime(picture, ns=(before, before))
    assert run(model, folder).before == 2 and masks(folder) == first
    assert len(ledger.read_text().splitlines()) == 3
