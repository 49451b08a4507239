"""`torchrun ... -m ifseg_cli adapt`: the run of one process, in two and four; a killed worker goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import ifseg
from safetensors.torch import load_file

STILL = ["--set", "regularisation.dropout=0", "--set", "regularisation.drop_path=0"]


@pytest.fixture
def words(tmp_path: Path) -> Path:
    (tmp_path / "cats.txt").write_text("cat\ndog\ngrass\n")
    return tmp_path / "cats.txt"


def arguments(base: Path, words: Path, out: Path, steps: int, batch: int = 4) -> list[str]:
    few = [f"optimiser.steps={steps}", f"optimiser.batch_size={batch}", "saving.checkpoint_every=5"]
    sets = [word for each in few for word in ("--set", each)]
    given = ["adapt", "--categories", words, "--base", base, "--out", out, "--recipe", "default", *sets]
    return list(map(str, given))


def torchrun(processes: int, words: list[str], *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*command, "-m", "ifseg_cli", *words],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def logged(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "train.jsonl").read_text().splitlines()]


def children(parent: int) -> list[int]:
    """Processes that a process has started."""
    return list(map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split()))


@pytest.mark.parametrize("processes", [2, 4])
def test_the_same_run_in_any_number_of_processes(tiny_base: Path, words: Path, tmp_path: Path, processes: int):
    alone, together = tmp_path / "alone", tmp_path / "together"
    assert ifseg(*arguments(tiny_base, words, alone, 6), *STILL).returncode == 0
    run = torchrun(processes, [*arguments(tiny_base, words, together, 6), *STILL])
    stdout, told = run.communicate(timeout=120)
    assert run.returncode == 0, told
    assert stdout == ""
    assert f"in each of {processes} processes" in told
    assert told.count("model in") == 1  # one of them speaks
    losses = [[line["loss"] for line in logged(each)] for each in (alone, together)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    one, other = load_file(alone / "model.safetensors"), load_file(together / "model.safetensors")
    for name, tensor in one.items():
        assert (tensor.float() - other[name].float()).abs().max() < 2e-5, name
    assert json.loads((together / "provenance.json").read_text())["processes"] == processes
    assert sorted(each.name for each in together.iterdir()) == sorted(each.name for each in alone.iterdir())


def test_a_killed_worker_goes_on_from_the_last_saved_step(tiny_base: Path, words: Path, tmp_path: Path):
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    whole = torchrun(2, arguments(tiny_base, words, unbroken, 60))
    assert whole.communicate(timeout=120) and whole.returncode == 0
    run = torchrun(2, arguments(tiny_base, words, broken, 60), "--max-restarts=1")
    while not (broken / "checkpoint.safetensors").exists():
        assert run.poll() is None
        time.sleep(0.005)
    os.kill(children(run.pid)[-1], signal.SIGKILL)
    _, told = run.communicate(timeout=120)
    assert run.returncode == 0, told
    assert " done" in told  # steps that the second start found
    # Dropout is drawn by rank and step, so that what was broken ends as what was not.
    assert (broken / "model.safetensors").read_bytes() == (unbroken / "model.safetensors").read_bytes()
    assert [line["step"] for line in logged(broken)] == [1, *range(10, 61, 10)]


def test_an_uneven_batch_is_refused_by_name(tiny_base: Path, words: Path, tmp_path: Path):
    run = torchrun(2, arguments(tiny_base, words, tmp_path / "m", 5, batch=3))
    _, told = run.communicate(timeout=120)
    assert run.returncode != 0
    assert told.count("error: a batch of 3 does not divide over 2 processes") == 1
    assert not (tmp_path / "m").exists()


def test_a_restart_overwrites_no_more_than_a_start(tiny_base: Path, words: Path, tmp_path: Path):
    out = tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("precious")
    run = torchrun(2, arguments(tiny_base, words, out, 5), "--max-restarts=1")
    _, told = run.communicate(timeout=120)
    assert run.returncode != 0
    assert "exists already" in told
    assert [each.name for each in out.iterdir()] == ["thesis.txt"]
