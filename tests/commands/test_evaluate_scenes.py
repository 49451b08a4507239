"""`ifseg evaluate --dataset scenes` as it is typed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from command import ifseg, one_line_error


def evaluate(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    return ifseg("evaluate", "--dataset", "scenes", *words, cwd=folder)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four scenes of seed 8, drawn by the package."""
    from ifseg_cli.core.datasets.dataset import DatasetOptions
    from ifseg_cli.core.datasets.registry import open_dataset

    root = tmp_path_factory.mktemp("scenes") / "drawn"
    open_dataset("scenes", DatasetOptions(count=4, seed=8), root)
    return root


def test_the_truth_as_prediction_gives_100(tmp_path: Path, drawn: Path) -> None:
    shutil.copytree(drawn / "labels", tmp_path / "masks")
    asked = ("--count", 4, "--seed", 8, "--predictions", "masks", "--json")
    done = evaluate(tmp_path, *asked)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["numbers"]["mIoU"] == 1
    assert report["images"] == {"in_data_set": 4, "scored": 4}
    assert len(report["classes"]) == 28
    for path in sorted(drawn.rglob("*.png")):
        mine = tmp_path / "evaluation" / "scenes" / path.relative_to(drawn)
        assert mine.read_bytes() == path.read_bytes(), "the scenes of a seed, wherever they are drawn"
    again = evaluate(tmp_path, *asked, "--root", drawn, "--out", "again")
    assert json.loads(again.stdout)["numbers"] == report["numbers"]
    assert not (tmp_path / "again" / "scenes").exists()


def test_a_model_is_judged_on_scenes(tmp_path: Path, drawn: Path) -> None:
    from tiny import save_tiny_model

    model = save_tiny_model(tmp_path / "model")
    found = one_line_error(evaluate(tmp_path, "--count", 4, "--seed", 8, "--model", model))
    assert "alone has" in found and "'sky'" in found
    assert not (tmp_path / "evaluation").exists(), "names are compared before anything is drawn"


def test_scenes_are_a_shipped_list() -> None:
    done = ifseg("vocab", "scenes", "--json")
    assert done.returncode == 0, done.stderr
    assert "wooden floor" in done.stdout


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--count", 3), "holds 4 scenes of seed 8; expected 3 scenes of seed 8; say --count 4 --seed 8"),
        (("--count", 4, "--classes", "voc"), "--classes with --dataset scenes; expected only --root, --count, --seed"),
        (("--count", 0), "--count is 0"),
        (("--count", 4, "--ignore", 3), "--ignore with --dataset scenes"),
    ],
)
def test_faults_are_one_line(words: tuple[object, ...], found: str, tmp_path: Path, drawn: Path) -> None:
    given = ("--seed", 8, "--root", drawn, "--predictions", drawn / "labels", *words)
    assert found in one_line_error(evaluate(tmp_path, *given))
    assert not (tmp_path / "evaluation").exists()


def test_results_inside_the_scenes_are_refused(tmp_path: Path, drawn: Path) -> None:
    given = ("--root", drawn, "--out", drawn / "evaluation", "--predictions", drawn / "labels")
    assert "lies in --root" in one_line_error(evaluate(tmp_path, *given))
