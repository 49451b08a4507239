"""The field's own evaluators, run unmodified on the same files: counts must be equal, ratios to 1e-9."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import pytest

from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.evaluation.definitions import score

sys.path.insert(0, str(Path(__file__).parent))
from golden import FETCH, Run, find_run, run_names


@pytest.fixture(params=run_names(), ids=lambda name: f"{name[0]}-{name[1]}")
def run(request: pytest.FixtureRequest) -> Run:
    found = find_run(*request.param)
    if found is None:
        case = request.param[0]
        pytest.skip(f"needs ../shared/data/golden/{case}: {FETCH[case]}")
    return found


def close(ours: float, theirs: float | None, tolerance: float = 1e-9) -> bool:
    return math.isnan(ours) if theirs is None else abs(ours - theirs) <= tolerance


def same_counts(scores: Any, expected: dict[str, Any]) -> None:
    for name in ("intersect", "pred", "label", "union"):
        if name in expected:
            assert getattr(scores.areas, name).tolist() == expected[name], name


def same_ratios(ours: tuple[float, ...], theirs: list[float | None], tolerance: float = 1e-9) -> None:
    assert len(ours) == len(theirs)
    assert all(close(a, b, tolerance) for a, b in zip(ours, theirs, strict=True))


def test_mmsegmentation_028(run: Run) -> None:
    expected = run.values["results"]["mmseg_0.28"]
    scores = score(run.confusion(), "mmseg")
    same_counts(scores, expected)
    same_ratios(scores.iou, expected["IoU"])
    same_ratios(scores.acc, expected["Acc"])
    for name in ("mIoU", "mAcc", "aAcc"):
        assert close(getattr(scores, name), expected[name]), name
    assert close(scores.fwIoU, expected["fwIoU_derived"])
    classes = set(range(len(scores.iou)))
    assert classes - set(scores.counted) == set(expected["iou_nan_classes"]) == set(scores.absent)


def test_mmsegmentation_122_up_to_its_32_bits(run: Run) -> None:
    expected = run.values["results"]["mmseg_1.2.2"]
    scores = score(run.confusion(), "mmseg")
    same_counts(scores, expected)
    for name in ("mIoU", "mAcc", "aAcc"):
        assert close(getattr(scores, name), expected[name], 1e-6), name


def test_csail_sceneparsing(run: Run) -> None:
    expected = run.values["results"]["csail_sceneparsing"]
    confusion = run.confusion()
    scores = score(confusion, "csail")
    same_counts(scores, expected)
    same_ratios(scores.iou, expected["IoU"])
    assert confusion.counted == expected["pixel_labeled"]
    assert int(scores.areas.intersect.sum()) + confusion.same_outside == expected["pixel_correct"]
    assert close(scores.mIoU, expected["mIoU"])
    assert close(scores.aAcc, expected["pixel_accuracy"])
    assert close(scores.fwIoU, expected["fwIoU_derived"])


def test_csail_pytorch(run: Run) -> None:
    expected = run.values["results"]["csail_semseg_pytorch"]
    scores = score(run.confusion(), "csail")
    same_counts(scores, expected)
    assert close(scores.mIoU, expected["mIoU"])
    assert close(scores.aAcc, expected["accuracy"])


@pytest.mark.parametrize("evaluator", ["cocostuffapi", "cocostuffapi_native"])
def test_cocostuff(run: Run, evaluator: str) -> None:
    expected = run.values["results"].get(evaluator)
    if expected is None:
        pytest.skip(f"{evaluator} was run on its own json only")
    if "error" in expected:
        with pytest.raises(DatasetError, match="no class" if "Invalid" in expected["error"] else "labelled"):
            score(run.confusion(), "cocostuff")
        return
    scores = score(run.confusion(), "cocostuff")
    same_counts(scores, expected)
    same_ratios(scores.iou, expected["IoU"])
    same_ratios(scores.acc, expected["Acc"])
    for name in ("mIoU", "mAcc", "fwIoU"):
        assert close(getattr(scores, name), expected[name]), name
    assert close(scores.aAcc, expected["pixel_accuracy"])


def test_no_mean_over_images(run: Run) -> None:
    """A tool that prints this number averages in the wrong order."""
    wrong = run.values["not_the_answer"]["mean_of_per_image_mIoU"]
    if wrong is None or len(run.case["files"]) < 2 or wrong == 1.0:
        pytest.skip("one image, or nothing wrong in it: both orders agree")
    assert not close(score(run.confusion(), "mmseg").mIoU, wrong)


def test_the_order_of_the_definitions(run: Run) -> None:
    """csail <= mmseg <= cocostuff wherever all three have a value and no label is outside."""
    confusion = run.confusion()
    if confusion.outside_predictions or confusion.outside_labels or not confusion.counted:
        pytest.skip("a definition refuses this run, or drops pixels")
    low, middle, high = (score(confusion, name).mIoU for name in ("csail", "mmseg", "cocostuff"))
    assert low <= middle + 1e-12 <= high + 2e-12
