"""Laws of the confusion matrix and of the numbers made from it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.evaluation.confusion import ConfusionMatrix
from ifseg_cli.core.evaluation.definitions import DEFINITIONS, NUMBERS, score

CLASSES = 5
VALUES = st.sampled_from([0, 1, 2, 3, 4, 5, 7, 254, 255])
MAPS = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda shape: st.tuples(arrays(np.uint8, shape, elements=VALUES), arrays(np.uint8, shape, elements=VALUES))
)


def counted(*pairs: tuple[np.ndarray, np.ndarray], classes: int = CLASSES) -> ConfusionMatrix:
    confusion = ConfusionMatrix(classes, ignore=[255])
    for label, prediction in pairs:
        confusion.update(label, prediction)
    return confusion


@given(st.lists(MAPS, min_size=1, max_size=4))
def test_streamed_is_whole_is_merged(pairs: list[tuple[np.ndarray, np.ndarray]]) -> None:
    streamed = counted(*pairs)
    joined = counted(tuple(np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1)))
    merged = counted()
    for pair in pairs:
        merged.merge(counted(pair))
    for other in (joined, merged):
        assert (streamed.matrix == other.matrix).all()
        assert (streamed.same_outside, streamed.ignored) == (other.same_outside, other.ignored)


@given(MAPS)
def test_every_pixel_is_counted_once(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """Against the definition written out with masks and loops."""
    label, prediction = pair
    confusion, kept = counted(pair), pair[0] != 255
    areas = confusion.areas()
    for index in range(CLASSES):
        truth, guess = kept & (label == index), kept & (prediction == index)
        assert areas.label[index] == truth.sum()
        assert areas.pred[index] == guess.sum()
        assert areas.intersect[index] == (truth & guess).sum()
        assert areas.union[index] == (truth | guess).sum()
    assert confusion.ignored + confusion.counted == label.size
    assert confusion.outside_labels == (kept & (label >= CLASSES)).sum()
    assert confusion.outside_predictions == (kept & (prediction >= CLASSES)).sum()
    assert confusion.same_outside == (kept & (label >= CLASSES) & (label == prediction)).sum()
    assert int(areas.label.sum()) + confusion.outside_labels == confusion.counted


@given(MAPS, st.permutations(range(CLASSES)))
def test_renaming_classes_moves_their_scores_along(pair: tuple[np.ndarray, np.ndarray], order: list[int]) -> None:
    table = np.arange(256, dtype=np.uint8)
    table[:CLASSES] = order
    before, after = score(counted(pair)), score(counted((table[pair[0]], table[pair[1]])))
    for index in range(CLASSES):
        assert np.array_equal(before.iou[index], after.iou[order[index]], equal_nan=True)
        assert np.array_equal(before.acc[index], after.acc[order[index]], equal_nan=True)
    for name in NUMBERS:
        assert getattr(before, name) == pytest.approx(getattr(after, name), abs=1e-12, nan_ok=True)


@given(arrays(np.uint8, (4, 4), elements=st.integers(0, CLASSES - 1)))
def test_a_perfect_mask_scores_one(label: np.ndarray) -> None:
    scores = score(counted((label, label)))
    assert (scores.mIoU, scores.mAcc, scores.aAcc) == (1.0, 1.0, 1.0)
    assert scores.fwIoU == pytest.approx(1.0)
    assert set(scores.counted) == set(np.unique(label).tolist())
    assert not scores.at_zero and not scores.unlabelled


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.int32, np.int64, np.uint64])
def test_any_integer_type_counts_the_same(kind: type) -> None:
    label, prediction = np.array([[0, 1, 2, 255, 9]]), np.array([[0, 2, 2, 1, 9]])
    assert (counted((label.astype(kind), prediction.astype(kind))).matrix == counted((label, prediction)).matrix).all()


def test_negative_and_huge_values_are_outside_and_not_equal_to_each_other() -> None:
    confusion = counted((np.array([-1, 70000, 70000]), np.array([70000, 70000, 3])))
    assert (confusion.outside_labels, confusion.outside_predictions, confusion.same_outside) == (3, 2, 1)


def test_shapes_and_types_of_a_careless_caller() -> None:
    with pytest.raises(ValueError, match="label is"):
        counted((np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8)))
    with pytest.raises(ValueError, match="integers"):
        counted((np.zeros(2), np.zeros(2)))


def test_absent_unlabelled_and_zero_are_told_apart() -> None:
    scores = score(counted((np.array([0, 0, 1, 1], np.uint8), np.array([0, 2, 0, 0], np.uint8))))
    assert (scores.counted, scores.absent, scores.unlabelled, scores.at_zero) == ((0, 1, 2), (3, 4), (2,), (1, 2))
    assert math.isnan(scores.iou[3]) and math.isnan(scores.acc[2])


def test_an_unknown_definition_is_one_line_with_the_known_ones() -> None:
    with pytest.raises(DatasetError, match="mmseg, csail, cocostuff"):
        score(counted(), "median")


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_every_number_has_its_sentence(definition: str) -> None:
    sentences = DEFINITIONS[definition].sentences
    assert set(sentences) == {*NUMBERS, "IoU", "Acc", "bIoU"}
    assert all(sentence.endswith(".") for sentence in sentences.values())
