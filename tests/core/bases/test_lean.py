"""Loading a base takes little more memory than its weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import published_files as files
import pytest
import torch

from ifseg_cli.core.bases.ofa.building import build_segmenter
from ifseg_cli.core.errors import CheckpointError

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "load.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("layout", ["fairseq float32", "fairseq float16", "port safetensors"])
def test_loading_base_peaks_under_the_bar(layout: str, tmp_path: Path) -> None:
    command = [sys.executable, BENCHMARK, "--work", tmp_path, "--layouts", layout]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_weights_are_taken_as_they_are_and_let_go() -> None:
    """No copy of a float32 tensor, and none kept beside the model."""
    weights = {name: each.clone() for name, each in files.network().state_dict().items()}
    where = {name: each.data_ptr() for name, each in weights.items()}
    made = build_segmenter(files.CONFIG, weights, "here")
    assert not weights
    assert {name: each.data_ptr() for name, each in made.state_dict().items()} == where


def test_nothing_is_drawn_only_to_be_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[int, ...]] = []
    for name in ("normal_", "uniform_"):
        original = getattr(torch.Tensor, name)

        def spy(tensor: torch.Tensor, *args: object, original: object = original, **kwargs: object) -> torch.Tensor:
            drawn.append(tuple(tensor.shape))
            return original(tensor, *args, **kwargs)  # pyright: ignore[reportCallIssue]

        monkeypatch.setattr(torch.Tensor, name, spy)
    weights = {name: torch.ones(each.shape) for name, each in _shapes().items()}
    drawn.clear()
    build_segmenter(files.CONFIG, weights, "here")
    assert drawn == []


def test_a_refused_file_leaves_no_model() -> None:
    weights = {name: torch.ones(each.shape) for name, each in _shapes().items()}
    weights["decoder.layer_norm.bias"] = torch.full((8,), float("nan"))
    with pytest.raises(CheckpointError):
        build_segmenter(files.CONFIG, weights, "here")


def _shapes() -> dict[str, torch.Tensor]:
    return files.network().state_dict()
