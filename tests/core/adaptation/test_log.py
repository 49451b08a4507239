from __future__ import annotations

from pathlib import Path

from PIL import Image

from ifseg_cli.core.adaptation.log import TrainLog, draw_loss, read_log
from ifseg_cli.core.adaptation.loop import Step


def step(number: int) -> Step:
    return Step(number, 1.0 / number, 1e-3, 0.5, 0.01, 2)


def test_first_last_and_every_third_step_are_logged(tmp_path: Path) -> None:
    log = TrainLog(tmp_path / "t.jsonl", every=3, last=8)
    for number in range(1, 9):
        log.add(step(number))
    assert [line["step"] for line in read_log(tmp_path / "t.jsonl")] == [1, 3, 6, 8]


def test_a_resumed_run_replaces_the_lines_that_come_again(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    log = TrainLog(path, every=1, last=9)
    for number in range(1, 7):
        log.add(step(number))
    path.write_text(path.read_text() + '{"step": 7, "lo')  # a kill in mid-line
    resumed = TrainLog(path, every=1, last=9, after=4)
    for number in range(5, 10):
        resumed.add(step(number))
    assert [line["step"] for line in read_log(path)] == list(range(1, 10))


def test_the_curve_is_a_picture(tmp_path: Path) -> None:
    draw_loss(tmp_path / "loss.png", [step(n).to_json() for n in range(1, 20)])
    with Image.open(tmp_path / "loss.png") as picture:
        assert picture.size == (840, 420)
        assert len(picture.convert("RGB").getcolors(100_000) or []) > 10
