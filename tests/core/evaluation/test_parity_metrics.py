"""The areas and the mIoU that the published program computed for its validation picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.numpy import load_file

from ifseg_cli.core.evaluation.confusion import ConfusionMatrix
from ifseg_cli.core.evaluation.definitions import score

TENSORS = load_file(str(Path(__file__).parents[2] / "parity" / "io.safetensors"))


@pytest.mark.parametrize("kind", ["raw", "smooth"])
def test_areas_of_the_published_program(kind: str) -> None:
    confusion = ConfusionMatrix(7, ignore=[7])
    confusion.update(TENSORS["img_eval.label"], TENSORS[f"img_eval.argmax_{kind}"])
    scores = score(confusion)
    names = {"intersect": "area_intersect", "pred": "area_pred_label", "label": "area_label", "union": "area_union"}
    for ours, theirs in names.items():
        assert getattr(scores.areas, ours).tolist() == TENSORS[f"metrics.{kind}.{theirs}"].astype(int).tolist()
    assert scores.mIoU == pytest.approx(float(TENSORS[f"metrics.{kind}.mIoU"]), abs=1e-7)


def test_the_label_file_maps_to_the_label() -> None:
    """Raw 1..7 are the classes, 0 and 255 are dropped: the same areas by a raw-id table."""
    from ifseg_cli.core.datasets.dataset import DROPPED, index_table

    mapped = index_table(tuple(range(1, 8)), (0, 255))[TENSORS["img_eval.label_file"]]
    expected = TENSORS["img_eval.label"]
    assert ((mapped == expected) | ((mapped == DROPPED) & (expected == 7))).all()
