"""`ifseg evaluate --compare`: several systems on the same images, one table, and what of it is more than noise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command import ifseg, one_line_error
from PIL import Image

NAMES = ("sky", "grass", "road")
COMMON = ("evaluate", "--labels", "labels", "--classes", "cats.txt")
PAIR = ("--compare", "ours=ours", "--compare", "theirs=theirs")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for stem in range(12):
        label = np.kron(random.integers(0, 3, (4, 5)), np.ones((8, 8))).astype(np.uint8)
        for system, share in (("labels", 1.0), ("ours", 0.9), ("theirs", 0.5)):
            (tmp_path / system).mkdir(exist_ok=True)
            mask = np.where(random.random(label.shape) < share, label, random.integers(0, 3, label.shape))
            Image.fromarray(mask.astype(np.uint8)).save(tmp_path / system / f"{stem:02d}.png")
    (tmp_path / "cats.txt").write_text("\n".join(NAMES))
    return tmp_path


def test_one_table_with_the_difference_and_its_interval(folder: Path) -> None:
    done = ifseg(*COMMON, *PAIR, cwd=folder)
    assert done.returncode == 0, done.stderr
    header = next(line for line in done.stdout.splitlines() if line.startswith("class"))
    assert header.split() == ["class", "pixels", "%", "ours", "theirs"]
    assert "theirs: mIoU -" in done.stdout and "worse than ours" in done.stdout
    out = folder / "evaluation"
    values = json.loads((out / "comparison.json").read_text())
    alone = json.loads((out / "theirs" / "report.json").read_text())
    assert values["names"] == ["ours", "theirs"] and values["numbers"]["mIoU"][1] == alone["numbers"]["mIoU"]
    low, high = values["differences_to_first"][0]["interval"]
    assert low < values["differences_to_first"][0]["value"] < high < 0
    assert "| sky |" in (out / "comparison.md").read_text()
    page = (out / "comparison.html").read_text()
    assert 'href="ours/report.html"' in page and (out / "ours" / "report.html").is_file()
    assert page.count('class="best"') == len(values["numbers"]) + len(NAMES)


def test_it_is_what_each_gives_alone_with_any_number_of_workers(folder: Path) -> None:
    done = ifseg(*COMMON, *PAIR, "--workers", 3, "--json", cwd=folder)
    together = json.loads(done.stdout)["systems"]
    for at, system in enumerate(("ours", "theirs")):
        alone = json.loads(ifseg(*COMMON, "--predictions", system, "--out", f"e{at}", "--json", cwd=folder).stdout)
        for key in ("numbers", "classes", "mIoU_interval_95", "pixels"):
            assert together[at][key] == alone[key], key


def test_an_image_that_one_system_lacks_counts_for_none(folder: Path) -> None:
    (folder / "theirs" / "03.png").unlink()
    done = ifseg(*COMMON, *PAIR, cwd=folder)
    assert done.returncode == 3
    assert "11 of the 12 images are in these numbers, the same for every system." in done.stdout
    assert "another system has none: no mask 03.png in theirs" in done.stderr
    systems = json.loads((folder / "evaluation" / "comparison.json").read_text())["systems"]
    assert [each["images"]["scored"] for each in systems] == [11, 11]


def test_a_class_map_of_one_system(folder: Path) -> None:
    for path in (folder / "theirs").glob("*.png"):
        Image.fromarray(np.asarray(Image.open(path)) + np.uint8(7)).save(path)
    (folder / "map.txt").write_text("7 = sky\n8 = grass\n9 = road\n")
    mapped = json.loads(ifseg(*COMMON, *PAIR, "--class-map", "theirs=map.txt", "--json", cwd=folder).stdout)
    assert mapped["systems"][1]["mask_values_from"] == "map.txt"
    assert 0.2 < mapped["numbers"]["mIoU"][1] < mapped["numbers"]["mIoU"][0]
    told = one_line_error(ifseg(*COMMON, *PAIR, "--class-map", "other=map.txt", "--overwrite", cwd=folder))
    assert "--class-map for 'other'; expected a system of --compare: ours, theirs" in told


def test_clusters_without_names_say_so(folder: Path) -> None:
    pytest.importorskip("scipy", reason="needs the extra ifseg[match]")
    done = ifseg(*COMMON, "--predictions", "ours", "--match", "hungarian", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Unsupervised: clusters without names, each matched to a class" in " ".join(done.stdout.split())
