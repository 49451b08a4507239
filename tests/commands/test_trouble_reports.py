"""What users of this field report, replayed end to end through the installed command.

Each test is one report: what the disk, the folder or the picture was like, and what must be true of the run.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command import ifseg, one_line_error
from PIL import Image
from tiny import NAMES, save_tiny_model

FEW = ("--set", "optimiser.steps=2", "--set", "optimiser.batch_size=1")
WORDS = ("--category", "sky", "--category", "grass")


def picture(path: Path, size: tuple[int, int] = (40, 30), seed: int = 0, **options: object) -> Path:
    small = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(small).resize(size, Image.Resampling.BICUBIC).save(path, **options)
    return path


@pytest.fixture
def folder(tmp_path: Path, tiny_model: Path) -> Path:
    """A model, and a folder of two photographs."""
    (tmp_path / "model").symlink_to(tiny_model)
    picture(tmp_path / "photos" / "a.png")
    picture(tmp_path / "photos" / "b.jpg", seed=1)
    return tmp_path


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("troubled") / "model")


def predict(folder: Path, *words: object, code: int = 0, **options: object) -> subprocess.CompletedProcess[str]:
    done = ifseg("predict", *words, "--model", "model", cwd=folder, **options)
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr
    return done


def images(folder: Path) -> list[str]:
    return [json.loads(line)["image"] for line in (folder / "predictions.jsonl").read_text().splitlines()]


# ---------------------------------------------------------------- results that are silently wrong


def test_old_masks_do_not_stay_under_new_names(folder: Path) -> None:
    predict(folder, "photos", "--out", "M")
    (folder / "M" / "notes.txt").write_text("mine")
    (folder / "photos" / "b.jpg").unlink()
    predict(folder, "photos", "--out", "M", "--overwrite")
    left = {path.relative_to(folder / "M").as_posix() for path in (folder / "M").rglob("*") if path.is_file()}
    of_a = {"a.png", "overlays/a.jpg", "thumbnails/a.photo.jpg", "thumbnails/a.labels.js"}
    assert left == of_a | {"classes.json", "index.html", "notes.txt", "predictions.jsonl", "provenance.json"}


def test_a_mask_that_no_run_lists_is_not_judged(folder: Path) -> None:
    predict(folder, "photos", "--out", "M", "--no-overlay")
    (folder / "labels").mkdir()
    for stem in ("a", "b", "c"):
        Image.fromarray(np.zeros((30, 40), np.uint8)).save(folder / "labels" / f"{stem}.png")
    shutil.copy(folder / "M" / "a.png", folder / "M" / "c.png")  # of an earlier run, say
    (folder / "cats.txt").write_text("\n".join(NAMES))
    done = ifseg("evaluate", "--labels", "labels", "--classes", "cats.txt", "--predictions", "M", "--json", cwd=folder)
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["missing"][0]["stem"] == "c"


def test_masks_are_not_taken_for_photographs(folder: Path) -> None:
    predict(folder, ".", "--out", "run-a")
    done = predict(folder, ".", "--out", "run-b", "--json")
    assert images(folder / "run-b") == ["photos/a.png", "photos/b.jpg"]
    assert json.loads(done.stdout.splitlines()[-1])["passed_over"] == {"folder that ifseg wrote": 2}
    assert "passed over: 2 folders that ifseg wrote" in done.stderr
    assert "Passed over: 2 folders that ifseg wrote" in (folder / "run-b" / "index.html").read_text()


def test_nodata_has_no_category(folder: Path) -> None:
    tile = np.full((40, 40, 4), 255, np.uint8)
    tile[:, :20, 3] = 0
    (folder / "tiles").mkdir()
    Image.fromarray(tile).save(folder / "tiles" / "t.png")
    predict(folder, "tiles", "--out", "M")
    mask = np.asarray(Image.open(folder / "M" / "t.png"))
    assert (mask[:, :20] == 255).all() and (mask[:, 20:] < len(NAMES)).all()
    assert json.loads((folder / "M" / "predictions.jsonl").read_text())["ignored"] == 800
    predict(folder, "tiles", "--out", "K", "--keep-transparent")
    assert (np.asarray(Image.open(folder / "K" / "t.png")) < len(NAMES)).all()


def test_a_thermal_picture_is_stretched_and_said_once(folder: Path) -> None:
    (folder / "thermal").mkdir()
    for stem in ("one", "two"):
        values = np.linspace(51241, 52181, 1200).reshape(30, 40).astype(np.uint16)
        Image.fromarray(values).save(folder / "thermal" / f"{stem}.tif")
    done = predict(folder, "thermal", "--out", "M")
    assert done.stderr.count("stretched") == 1
    assert "2 pictures of 16 or 32 bits used a small part of their range: stretched" in done.stderr
    lines = (folder / "M" / "predictions.jsonl").read_text().splitlines()
    assert [json.loads(line)["notes"] for line in lines] == [["stretched"], ["stretched"]]
    seen = np.asarray(Image.open(folder / "M" / "thumbnails" / "one.photo.jpg"))
    assert seen.max() - seen.min() > 200


# ---------------------------------------------------------------- what a disk or a name does


def test_a_path_that_is_no_text(folder: Path, tiny_base: Path) -> None:
    odd = folder / os.fsdecode(b"Gel\xe4nde")
    odd.mkdir()
    (odd / "c.txt").write_text("sky\ngrass\n")
    picture(odd / "p.png")
    for run in (
        ["vocab", odd / "c.txt", "--base", tiny_base, "--json", "--out", odd / "v.json"],
        ["adapt", "--categories", odd / "c.txt", "--base", tiny_base, *FEW, "--out", odd / "m"],
        ["predict", odd, "--model", odd / "m", "--out", "M", "--json"],
    ):
        done = ifseg(*run, cwd=folder)
        assert done.returncode == 0, done.stderr
    made = json.loads((odd / "m" / "provenance.json").read_text())
    assert any("Gel" in word for word in made["command"])


@pytest.mark.parametrize("limit", [0, 3000])
def test_a_full_disk_before_the_work_is_one_line(folder: Path, tiny_base: Path, limit: int) -> None:
    """A file may take `limit` bytes: none at all is told before the work, little in the middle of it."""
    code = 2 if limit == 0 else 3
    for words in (
        ["vocab", "--category", "sky", "--category", "grass", "--base", tiny_base, "--out", "v.json"],
        ["synth", *WORDS, "--base", tiny_base, "--out", "s"],
        ["adapt", *WORDS, "--base", tiny_base, *FEW, "--out", "m"],
        ["predict", "photos", "--model", "model", "--out", "M"],
    ):
        done = ifseg(*words, cwd=folder, largest_file=limit)
        if words[0] == "vocab" and limit:
            continue  # its file is small enough
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode in {code, 2}, (words[0], done.stderr)
        errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1 and "too large" in errors[0], done.stderr


def test_what_was_done_before_the_disk_was_full_is_kept(folder: Path) -> None:
    picture(folder / "photos" / "z.png", size=(900, 900), seed=5)
    done = predict(folder, "photos", "--out", "M", "--no-overlay", code=3, largest_file=2500)
    assert "2 pictures done, their masks are whole" in done.stderr
    assert images(folder / "M") == ["a.png", "b.jpg"]
    assert all(np.asarray(Image.open(folder / "M" / name)).shape == (30, 40) for name in ("a.png", "b.png"))
    assert not list((folder / "M").rglob("*.part"))


def test_a_model_that_cannot_be_written_can_still_be_resumed(folder: Path, tiny_base: Path) -> None:
    """The checkpoint fits on the disk, the model with its frozen embeddings does not."""
    run = ["adapt", *WORDS, "--base", tiny_base, *FEW, "--out", "m"]
    done = ifseg(*run, cwd=folder, largest_file=1_000_000)
    assert done.returncode == 3, done.stderr
    assert "the state after step 2 is kept; make room, then repeat the command with --resume" in done.stderr
    again = ifseg(*run, "--resume", cwd=folder)
    assert again.returncode == 0, again.stderr
    assert "done: all steps had been made before" in again.stderr
    straight = ifseg(*run[:-1], "other", cwd=folder)
    assert straight.returncode == 0, straight.stderr
    assert (folder / "m" / "model.safetensors").read_bytes() == (folder / "other" / "model.safetensors").read_bytes()


def test_a_report_that_cannot_be_written_still_says_its_number(folder: Path) -> None:
    predict(folder, "photos", "--out", "M", "--no-overlay")
    (folder / "labels").mkdir()
    for stem in ("a", "b"):
        Image.fromarray(np.zeros((30, 40), np.uint8)).save(folder / "labels" / f"{stem}.png")
    (folder / "cats.txt").write_text("\n".join(NAMES))
    masks = ["--labels", "labels", "--classes", "cats.txt", "--predictions", "M"]
    told = one_line_error(ifseg("evaluate", *masks, cwd=folder, largest_file=1000), code=3)
    assert "too large; mIoU is" in told and "make room" in told


@pytest.mark.parametrize(
    "words",
    [
        ["vocab", *WORDS, "--out"],
        ["synth", *WORDS, "--out"],
        ["adapt", *WORDS, *FEW, "--out"],
        ["predict", "photos", "--model", "model", "--out"],
        ["evaluate", "--dataset", "scenes", "--count", "1", "--model", "model", "--out"],
    ],
    ids=lambda words: words[0],
)
def test_an_output_of_the_wrong_kind_or_place_is_one_line(words: list[str], folder: Path, tiny_base: Path) -> None:
    (folder / "file").write_text("mine")
    base = ["--base", str(tiny_base)] if words[0] in ("vocab", "synth", "adapt") else []
    wrong = ["file/below", "/proc/nowhere/out"]
    wrong += ["photos"] if words[0] == "vocab" else ["file"]
    for out in wrong:
        told = one_line_error(ifseg(*words, out, *base, "--overwrite", cwd=folder))
        assert out.split("/")[0] in told or out in told
    assert (folder / "file").read_text() == "mine"


def obeying_permissions() -> list[str]:
    """A prefix that makes root obey permissions as everybody does."""
    if os.geteuid() != 0:
        return []
    if not shutil.which("setpriv"):
        pytest.skip("needs setpriv (util-linux), to give up root's rights")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


def test_a_folder_without_permission_is_told(folder: Path) -> None:
    picture(folder / "photos" / "shut" / "x.png")
    (folder / "photos" / "shut").chmod(0)
    (folder / "closed").mkdir(mode=0o500)
    run = [*obeying_permissions(), sys.executable, "-m", "ifseg_cli", "predict", "photos", "--model", "model", "--out"]
    try:
        done = subprocess.run([*run, "M"], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 3, done.stderr
        assert "cannot look into photos/shut: Permission denied" in done.stderr
        assert images(folder / "M") == ["a.png", "b.jpg"]
        for out in ("closed", "closed/below"):
            forbidden = subprocess.run([*run, out], cwd=folder, capture_output=True, text=True, check=False)
            assert f"cannot write {out}: Permission denied" in one_line_error(forbidden)
    finally:
        (folder / "photos" / "shut").chmod(0o700)


def test_a_fifo_a_socket_and_a_dangling_link_are_failures(folder: Path) -> None:
    os.mkfifo(folder / "photos" / "fifo.jpg")
    (folder / "photos" / "annexed.jpg").symlink_to("../.git/annex/objects/nowhere")
    (folder / "empty").mkdir()
    long = "n" * 249
    picture(folder / "photos" / f"{long}.png")
    done = predict(folder, "photos", "empty", "photos/annexed.jpg", "--out", "M", code=3, timeout=60)
    assert images(folder / "M") == ["a.png", "b.jpg"]
    failed = [json.loads(line) for line in (folder / "M" / "failures.jsonl").read_text().splitlines()]
    told = {failure["image"]: failure["error"] for failure in failed}
    assert set(told) == {"empty", "fifo.jpg", "annexed.jpg", f"{long}.png"}
    assert "no picture found at empty" in told["empty"]
    assert "no regular file" in told["fifo.jpg"]
    assert "No such file" in told["annexed.jpg"]
    assert "name too long" in told[f"{long}.png"]
    assert "4 failed" in done.stderr


def test_ctrl_c_says_what_is_done_and_how_to_go_on(folder: Path) -> None:
    for number in range(200):
        picture(folder / "many" / f"{number:03}.png", size=(500, 400), seed=number)
    run = [sys.executable, "-m", "ifseg_cli", "predict", "many", "--model", "model", "--out", "M"]
    process = subprocess.Popen(run, cwd=folder, stderr=subprocess.PIPE, text=True)
    ledger = folder / "M" / "predictions.jsonl"
    while not (ledger.exists() and ledger.read_text().count("\n") > 1):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Traceback" not in said
    done = len(images(folder / "M"))
    assert f"interrupted: {done} of 200 pictures done" in said and "the same command goes on" in said
    assert (folder / "M" / "index.html").is_file()


def test_killed_before_the_first_checkpoint(folder: Path, tiny_base: Path) -> None:
    (folder / "m").mkdir()
    (folder / "m" / "train.jsonl").write_text('{"step": 1, "loss": 2.0}\n')
    run = ["adapt", *WORDS, "--base", tiny_base, *FEW, "--out", "m"]
    told = one_line_error(ifseg(*run, "--resume", cwd=folder))
    assert "say --overwrite in place of --resume" in told
    assert ifseg(*run, "--overwrite", cwd=folder).returncode == 0


# ---------------------------------------------------------------- what was left out is said


def test_other_files_are_counted(folder: Path) -> None:
    for name in ("1.CR2", "2.cr2", "film.mp4", ".hidden.png", "notes"):
        (folder / "photos" / name).write_text("no picture")
    done = predict(folder, "photos", "--out", "M", "--json")
    assert "passed over: 2 cr2, 1 mp4, 1 without suffix, 1 hidden" in done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["passed_over"] == {
        "cr2": 2,
        "mp4": 1,
        "without suffix": 1,
        "hidden": 1,
    }


def test_only_other_files_is_an_error_that_names_them(folder: Path) -> None:
    (folder / "raw").mkdir()
    (folder / "raw" / "1.CR2").write_text("raw")
    told = one_line_error(ifseg("predict", "raw", "--model", "model", cwd=folder))
    assert "no picture found at raw (passed over: 1 cr2)" in told


def test_heic_names_its_reader_or_is_read(folder: Path) -> None:
    try:
        import pillow_heif

        pillow_heif.register_heif_opener()
        Image.new("RGB", (64, 48), (90, 160, 90)).save(folder / "photos" / "c.heic")
    except ImportError:
        (folder / "photos" / "c.heic").write_text("no reader")
        assert "1 heic (pip install pillow-heif reads heic)" in predict(folder, "photos", "--out", "M").stderr
        return
    predict(folder, "photos", "--out", "M")
    assert images(folder / "M") == ["a.png", "b.jpg", "c.heic"]


def test_pages_and_frames_are_counted(folder: Path) -> None:
    pages = [Image.new("RGB", (40, 30), colour) for colour in ("red", "green", "blue")]
    for name in ("scan.tif", "film.gif", "moving.png"):
        pages[0].save(folder / "photos" / name, save_all=True, append_images=pages[1:])
    done = predict(folder, "photos", "--out", "M")
    frames = {
        r["image"]: r["frames"] for r in map(json.loads, (folder / "M" / "predictions.jsonl").read_text().splitlines())
    }
    assert frames == {"a.png": 1, "b.jpg": 1, "scan.tif": 3, "film.gif": 3, "moving.png": 3}
    assert "3 pictures of several frames or pages: the first was used" in done.stderr


def test_a_cut_jpeg_is_used_as_far_as_it_goes(folder: Path) -> None:
    whole = picture(folder / "cut" / "a.jpg", size=(400, 300), quality=95)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    failed = predict(folder, "cut", "--out", "F", code=2)
    assert "damaged or cut off" in failed.stderr
    done = predict(folder, "cut", "--out", "M", "--accept-truncated")
    assert "1 picture cut off, used as far as they go" in done.stderr
    assert json.loads((folder / "M" / "predictions.jsonl").read_text())["notes"] == ["cut off"]


def test_numbers_have_bounds(folder: Path) -> None:
    for words in (["--short-side", "100000"], ["--neighbours", "1000"], ["--smoothing-iterations", "1000000"]):
        assert "expected a whole number from" in one_line_error(
            ifseg("predict", "photos", "--model", "model", *words, cwd=folder)
        )
    for words in (["--count", "99999"], ["--seed", str(10**30)], ["--set", "optimiser.batch_size=1000000000"]):
        told = one_line_error(ifseg("synth", *WORDS, *words, cwd=folder))
        assert "expected" in told, told
