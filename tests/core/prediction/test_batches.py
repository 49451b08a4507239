"""Pictures of one shape share a batch, none waits for long, and an answer does not depend on its company."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ifseg_cli.core.images.search import find_images
from ifseg_cli.core.prediction.engine import stages
from ifseg_cli.core.prediction.engine.batches import WAITING, answered
from ifseg_cli.core.prediction.engine.job import Answered, Job
from ifseg_cli.core.prediction.engine.manifest import Failure, Settled
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.recipe import PredictionSettings

SETTINGS = PredictionSettings(smoothing_iterations=2)


@pytest.fixture
def job(model: Model, tmp_path: Path) -> Job:
    for number in range(12):
        size = (50, 40) if number % 3 else (30, 60)
        small = np.random.default_rng(number).integers(0, 256, (4, 5, 3), dtype=np.uint8)
        Image.fromarray(small).resize(size).save(tmp_path / f"{number:02d}.png")
    (tmp_path / "05.png").write_bytes(b"broken")
    return Job(model, tmp_path / "out", SETTINGS)


def answers(job: Job, size: int, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, np.ndarray], list[int]]:
    sizes: list[int] = []
    real = stages.score

    def score(network: object, prepared: list, settings: PredictionSettings) -> object:
        sizes.append(len(prepared))
        return real(network, prepared, settings)  # type: ignore[arg-type]

    monkeypatch.setattr(stages, "score", score)
    sources = find_images([job.out.parent]).sources
    found = list(answered(job, map(job.open, sources), size, lambda: False))
    assert sum(isinstance(each, Settled) for each in found) == 1
    return {each.source.path.name: each.prediction.labels for each in found if isinstance(each, Answered)}, sizes


def test_batches_change_no_answer(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, ones = answers(job, 1, monkeypatch)
    monkeypatch.undo()
    together, sizes = answers(job, 3, monkeypatch)
    assert ones == [1] * 11 and sorted(sizes) == [1, 1, 3, 3, 3]  # 4 of one shape and 7 of the other
    assert alone.keys() == together.keys()
    for name, labels in alone.items():
        assert (labels != together[name]).mean() < 0.01  # sums in another order: pixels between two names at most


def test_where_memory_is_short_for_all_they_go_one_by_one(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    real = stages.score

    def score(network: object, prepared: list, settings: PredictionSettings) -> object:
        if len(prepared) > 1 or prepared[0][0].shape[2] > prepared[0][0].shape[3]:
            raise RuntimeError("not enough memory")
        return real(network, prepared, settings)  # type: ignore[arg-type]

    monkeypatch.setattr(stages, "score", score)
    sources = find_images([job.out.parent]).sources
    found = list(answered(job, map(job.open, sources), 4, lambda: False))
    failed = [each.line for each in found if isinstance(each, Settled)]
    assert len(found) == 12 and all(isinstance(each, Failure) for each in failed)
    assert sum("more memory than there is" in each.error for each in failed) == 4
    assert sum(isinstance(each, Answered) for each in found) == 7


def test_a_rare_shape_does_not_wait_for_ever(job: Job) -> None:
    sources = find_images([job.out.parent]).sources
    by_shape = [each for each in map(job.open, sources) if not isinstance(each, Settled)]
    rare = next(each for each in by_shape if each.shape[0] > each.shape[1])
    others = [each for each in by_shape if each.shape != rare.shape]
    stream = [rare, *(others[number % len(others)] for number in range(40))]
    names = [each.source.name for each in answered(job, stream, 4, lambda: False) if isinstance(each, Answered)]
    assert names.index(rare.source.name) <= WAITING * 4 and len(names) == 41
