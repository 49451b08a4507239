from __future__ import annotations

import json
import os
import re
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
from safetensors.torch import load_file, save_file

from ifseg_cli.core.recipe import load_recipe
from ifseg_cli.core.weights.files import WEIGHTS

SMALL = ["--recipe", "default"]
for each in ("optimiser.steps=30", "optimiser.batch_size=2", "saving.checkpoint_every=4", "saving.log_every=5"):
    SMALL += ["--set", each]


@pytest.fixture
def words(tmp_path: Path) -> Path:
    (tmp_path / "cats.txt").write_text("cat\ndog\ngrass\n")
    return tmp_path / "cats.txt"


def arguments(base: Path, words: Path, out: Path) -> list[object]:
    return ["adapt", "--categories", words, "--base", base, "--out", out, *SMALL]


def logged_steps(out: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (out / "train.jsonl").read_text().splitlines()]


def test_words_become_a_model_folder(tiny_base: Path, words: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    result = ifseg(*arguments(tiny_base, words, out))
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert "30 of 2 artificial images" in result.stderr
    assert "expected" in result.stderr
    looks = [line.split(":")[0] for line in result.stderr.splitlines() if "of the cells of 2 new images" in line]
    assert looks == ["step 0", "step 30"]
    told = r"done in .* s: .* steps/s, peak \d\.\d GB, \d+% of what its arithmetic allows here"
    assert re.search(told, " ".join(result.stderr.split()))
    names = "README.md config.json looks.png loss.png model.safetensors provenance.json recipe.yaml tokenizer.json"
    names += " train.jsonl vocabulary.json"
    assert sorted(path.name for path in out.iterdir()) == names.split()
    assert logged_steps(out) == [1, 5, 10, 15, 20, 25, 30]
    provenance = json.loads((out / "provenance.json").read_text())
    assert provenance["base"] == str(tiny_base)
    assert len(provenance["base_sha256"]) == 64
    assert "cat, dog, grass" in (out / "README.md").read_text()


def test_looking_changes_nothing(tiny_base: Path, words: Path, tmp_path: Path) -> None:
    for name, every in (("a", 0), ("b", 7)):
        result = ifseg(*arguments(tiny_base, words, tmp_path / name), "--set", f"saving.look_every={every}")
        assert result.returncode == 0, result.stderr
        assert ("new images" in result.stderr) == bool(every)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]
    assert not (tmp_path / "a" / "looks.png").exists()


def test_the_saved_recipe_repeats_the_run(tiny_base: Path, words: Path, tmp_path: Path) -> None:
    ifseg(*arguments(tiny_base, words, tmp_path / "a"))
    again = ["adapt", "--categories", words, "--base", tiny_base, "--recipe", tmp_path / "a" / "recipe.yaml"]
    result = ifseg(*again, "--out", tmp_path / "b")
    assert result.returncode == 0, result.stderr
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_broken_run_goes_on_to_the_same_model(
    tiny_base: Path, words: Path, tmp_path: Path, number: signal.Signals
) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    assert ifseg(*arguments(tiny_base, words, unbroken)).returncode == 0
    command = [sys.executable, "-m", "ifseg_cli", *map(str, arguments(tiny_base, words, broken))]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        while not (broken / "checkpoint.safetensors").exists():
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 130)
    assert not (broken / "config.json").exists()
    if number == signal.SIGINT:
        assert "--resume goes on" in told
    assert "--resume" in one_line_error(ifseg(*arguments(tiny_base, words, broken)))
    result = ifseg(*arguments(tiny_base, words, broken), "--resume")
    assert result.returncode == 0, result.stderr
    assert (broken / "model.safetensors").read_bytes() == (unbroken / "model.safetensors").read_bytes()
    assert logged_steps(broken) == logged_steps(unbroken)


def test_the_plan_stands_in_the_recipe_and_repeats_the_run(tiny_base: Path, words: Path, tmp_path: Path) -> None:
    sets = ["--set", "optimiser.steps=2", "--set", "optimiser.batch_size=3", "--base", tiny_base, "--categories", words]
    first = ifseg("adapt", *sets, "--set", "plan.micro_batch=2", "--memory", "4GB", "--out", tmp_path / "a")
    assert first.returncode == 0, first.stderr
    assert "2 samples at a time" in first.stderr
    saved = load_recipe(tmp_path / "a" / "recipe.yaml")
    assert (saved.plan.micro_batch, saved.plan.recompute) == (2, "none")
    again = ["--recipe", tmp_path / "a" / "recipe.yaml", "--base", tiny_base, "--categories", words]
    assert ifseg("adapt", *again, "--out", tmp_path / "b").returncode == 0
    one, other = ((tmp_path / name / "model.safetensors").read_bytes() for name in ("a", "b"))
    assert one == other


def test_too_little_memory_is_told_before_the_first_step(tiny_base: Path, words: Path, tmp_path: Path) -> None:
    done = ifseg("adapt", "--base", tiny_base, "--categories", words, "--memory", "9MB", "--out", tmp_path / "m")
    assert "and --memory 9MB is 0.0 GB to spare" in one_line_error(done)
    assert not (tmp_path / "m").exists()


def test_a_base_is_never_written_over(tiny_base: Path, words: Path, tmp_path: Path) -> None:
    base = Path(shutil.copytree(tiny_base, tmp_path / "base"))
    before = {path.name: path.read_bytes() for path in base.iterdir()}
    done = ifseg(*arguments(base, words, base), "--overwrite")
    assert done.returncode == 2
    assert "is the base itself; expected a folder of its own; choose another --out" in done.stderr
    assert {path.name: path.read_bytes() for path in base.iterdir()} == before


def test_resuming_with_other_words_is_refused(tiny_base: Path, words: Path, tmp_path: Path) -> None:
    out = tmp_path / "m"
    command = [sys.executable, "-m", "ifseg_cli", *map(str, arguments(tiny_base, words, out))]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"}) as process:
        while not (out / "checkpoint.safetensors").exists():
            time.sleep(0.005)
        process.kill()
    words.write_text("cat\ncow\n")
    assert (
        "is of another run: another list of categories" in ifseg(*arguments(tiny_base, words, out), "--resume").stderr
    )


def test_nothing_is_overwritten_unasked(tiny_base: Path, words: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("precious")
    assert "exists already" in one_line_error(ifseg(*arguments(tiny_base, words, out)))
    assert (out / "thesis.txt").read_text() == "precious"


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (["--resume"], "has no checkpoint"),
        (["--resume", "--overwrite"], "both --resume and --overwrite"),
        (["--device", "tpu"], "device 'tpu'; expected one of auto, cpu, cuda, mps"),
        (["--set", "optimiser.step=3"], "optimiser.steps"),
        (["--recipe", "fast"], "quick"),
        (["--base", "nowhere"], "there is no nowhere"),
        (["--set", "synthesis.cells=evidence"], "synthesis.cells is evidence"),
    ],
)
def test_mistakes_are_told_in_one_line(
    tiny_base: Path, words: Path, tmp_path: Path, extra: list[str], expected: str
) -> None:
    assert expected in one_line_error(ifseg(*arguments(tiny_base, words, tmp_path / "m"), *extra))
    assert not (tmp_path / "m").exists()


def test_an_update_is_saved_alone_and_gives_the_same_masks(tiny_base: Path, words: Path, tmp_path: Path) -> None:
    sets = ["--set", "train=low_rank", "--set", "rank=2", "--set", "optimiser.learning_rate=0.05"]
    for save, out in (("exact", "whole"), ("update", "small")):
        result = ifseg(*arguments(tiny_base, words, tmp_path / out), *sets, "--save", save)
        assert result.returncode == 0, result.stderr
    assert f"--model {tmp_path / 'small'} --base {tiny_base}" in " ".join(result.stderr.split())
    whole, small = tmp_path / "whole", tmp_path / "small"
    assert not (small / "model.safetensors").exists()
    sizes = [(each / name).stat().st_size for each, name in ((small, "update.safetensors"), (whole, WEIGHTS))]
    assert sizes[0] * 20 < sizes[1]
    Image.effect_noise((60, 50), 80).convert("RGB").save(tmp_path / "photo.png")
    arguments_of = ["predict", tmp_path / "photo.png", "--no-overlay"]
    assert ifseg(*arguments_of, "--model", whole, "--out", tmp_path / "a").returncode == 0
    result = ifseg(*arguments_of, "--model", small, "--base", tiny_base, "--out", tmp_path / "b")
    assert result.returncode == 0, result.stderr
    one, other = (np.asarray(Image.open(tmp_path / each / "photo.png")) for each in "ab")
    assert (one == other).mean() > 0.99  # merged before or after it was saved: the same to rounding


def test_an_update_wants_its_own_base(tiny_base: Path, words: Path, tmp_path: Path) -> None:
    sets = ["--set", "train=decoder", "--save", "update"]
    out = tmp_path / "m"
    assert ifseg(*arguments(tiny_base, words, out), *sets).returncode == 0
    predict = ["predict", tmp_path, "--model", out, "--out", tmp_path / "masks"]
    Image.new("RGB", (40, 40)).save(tmp_path / "photo.png")
    assert "is an update of the base" in one_line_error(ifseg(*predict))
    assert "is not the base that" in one_line_error(ifseg(*predict, "--base", "builtin"))
    tensors = load_file(out / "update.safetensors")
    save_file({name: each * 1e18 for name, each in tensors.items()}, out / "update.safetensors")
    assert "gives values up to" in one_line_error(ifseg(*predict, "--base", tiny_base))
    (out / "update.safetensors").write_bytes((out / "update.safetensors").read_bytes()[:1000])
    assert "cannot be read as safetensors" in one_line_error(ifseg(*predict, "--base", tiny_base))
