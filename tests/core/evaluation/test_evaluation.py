"""From folders to a report: joined by name, nothing left out in silence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ifseg_cli.core.datasets.dataset import Dataset, DatasetOptions
from ifseg_cli.core.datasets.registry import open_dataset
from ifseg_cli.core.errors import DatasetError, OutputError
from ifseg_cli.core.evaluation.evaluate import evaluate_predictions
from ifseg_cli.core.evaluation.markdown import to_markdown
from ifseg_cli.core.evaluation.predictions import open_predictions
from ifseg_cli.core.evaluation.prepare import require_outside
from ifseg_cli.core.evaluation.report import Report
from ifseg_cli.core.evaluation.rules import Rules
from ifseg_cli.core.evaluation.writing import write_report
from ifseg_cli.core.vocabulary.colours import palette

LABELS = {"a": [[0, 0, 1], [1, 1, 255]], "sub/b": [[2, 2], [0, 255]]}


def save(folder: Path, stem: str, ids: list[list[int]]) -> Path:
    path = folder / f"{stem}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(ids, np.uint8)).save(path)
    return path


def evaluated(dataset: Dataset, masks: Path, rules: Rules = Rules()) -> Report:
    return evaluate_predictions(dataset, [open_predictions(masks, dataset)], rules)[0]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    for stem, ids in LABELS.items():
        save(tmp_path / "labels", stem, ids)
    (tmp_path / "cats.txt").write_text("cat\ndog\na|b *star*\n")
    return open_dataset("folder", DatasetOptions(None, tmp_path / "labels", str(tmp_path / "cats.txt")))


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    folder = tmp_path / "masks"
    save(folder, "a", [[0, 1, 1], [1, 1, 2]])  # one cat pixel taken for a dog; the last pixel is ignored
    save(folder, "sub/b", [[2, 2], [7, 0]])  # 7 is no class
    return folder


def test_the_numbers_of_a_case_done_by_hand(dataset: Dataset, masks: Path) -> None:
    report = evaluated(dataset, masks)
    cat, dog, third = report.rows()
    assert (cat.labelled, cat.predicted, cat.right) == (3, 1, 1)
    assert (dog.labelled, dog.predicted, dog.right) == (3, 4, 3)
    assert (third.labelled, third.predicted, third.right) == (2, 2, 2)
    assert (cat.iou, dog.iou, third.iou) == pytest.approx((1 / 3, 3 / 4, 1))
    assert report.numbers() == pytest.approx(
        {
            "mIoU": (1 / 3 + 3 / 4 + 1) / 3,
            "mAcc": (1 / 3 + 1 + 1) / 3,
            "aAcc": 6 / 8,
            "fwIoU": 3 / 8 * 1 / 3 + 3 / 8 * 3 / 4 + 2 / 8,
            "bIoU": (1 / 3 + 3 / 4 + 1) / 3,  # pictures so small are all border
        }
    )
    assert (report.confusion.counted, report.confusion.ignored, report.confusion.outside_predictions) == (8, 2, 1)


def describe(masks: Path, values: dict[str, int]) -> None:
    classes = [{"value": value, "name": name} for name, value in values.items()]
    (masks / "classes.json").write_text(json.dumps({"ignore": 255, "classes": classes}))


def test_masks_that_name_their_values_are_joined_by_name(dataset: Dataset, masks: Path) -> None:
    before = evaluated(dataset, masks).numbers()
    table = np.full(256, 255, np.uint8)
    table[:3] = [30, 10, 20]
    for path in sorted(masks.rglob("*.png")):
        Image.fromarray(table[np.asarray(Image.open(path))]).save(path)
    describe(masks, {"dog": 10, "a|b *star*": 20, "cat": 30})
    report = evaluated(dataset, masks)
    assert report.numbers() == before
    assert report.predictions.values_from.endswith("classes.json")


def test_names_that_differ_list_both_sides(dataset: Dataset, masks: Path) -> None:
    describe(masks, {"dog": 0, "wolf": 1, "cat": 2})
    with pytest.raises(DatasetError, match=r"alone has 'wolf' and .*cats\.txt alone has 'a\|b \*star\*'"):
        evaluated(dataset, masks)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"classes": [{"name": "cat"}]}', '{"classes": [{"name": "cat", "value": -1}]}']
)
def test_a_broken_classes_json(text: str, dataset: Dataset, masks: Path) -> None:
    (masks / "classes.json").write_text(text)
    with pytest.raises(DatasetError, match=r"classes\.json"):
        evaluated(dataset, masks)


def test_a_mask_that_is_missing_or_broken_is_listed_and_the_rest_scored(dataset: Dataset, masks: Path) -> None:
    (masks / "sub" / "b.png").unlink()
    report = evaluated(dataset, masks)
    assert (report.scored, [each.stem for each in report.missing]) == (1, ["sub/b"])
    assert report.notes()[0] == "1 of the 2 images are in these numbers."
    Image.new("RGB", (2, 2), (1, 2, 3)).save(masks / "sub" / "b.png")
    report = evaluated(dataset, masks)
    assert "holds colours" in report.missing[0].reason
    assert report.confusion.counted == 5


def test_nothing_that_can_be_scored(dataset: Dataset, masks: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no folder"):
        evaluated(dataset, tmp_path / "none")
    with pytest.raises(DatasetError, match=r"no mask for any of the 2 labels; expected names like a\.png"):
        evaluated(dataset, save(tmp_path / "other", "zzz", [[0]]).parent)
    for path in masks.rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(DatasetError, match="none of the 2 masks can be used"):
        evaluated(dataset, masks)


def test_a_mask_of_another_size_is_refused(dataset: Dataset, masks: Path) -> None:
    save(masks, "a", [[0, 0], [0, 0], [0, 0]])
    with pytest.raises(DatasetError, match=r"is 2 x 3, its label .* is 3 x 2; expected equal sizes"):
        evaluated(dataset, masks)


def test_every_stage_steps_over_every_sample(dataset: Dataset, masks: Path) -> None:
    steps: list[str] = []
    evaluate_predictions(dataset, [open_predictions(masks, dataset)], on_step=steps.append)
    assert steps == ["scoring"] * 2


def test_an_output_among_the_inputs(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="lies in --labels"):
        require_outside(tmp_path / "labels" / "out", {"--images": None, "--labels": tmp_path / "labels"})
    require_outside(tmp_path / "labels-out", {"--labels": tmp_path / "labels"})


@pytest.fixture
def report(dataset: Dataset, masks: Path) -> Report:
    (masks / "sub" / "b.png").unlink()
    return evaluated(dataset, masks)


def test_the_files_of_a_report(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path / "out", {"ifseg": "1", "packages": {"numpy": "2"}}, palette(3))
    values = json.loads((tmp_path / "out" / "report.json").read_text())
    assert values["images"] == {"in_data_set": 2, "scored": 1}
    assert values["classes"][2]["iou"] is None and values["absent"] == [2]
    assert values["definition"]["sentences"]["mIoU"] == report.sentences["mIoU"]
    assert values["provenance"]["packages"] == {"numpy": "2"}
    assert values["most_confused"] == [{"label": "cat", "mask": "dog", "pixels": 1, "share": 0.5}]
    assert sorted(path.name for path in (tmp_path / "out" / "examples").iterdir()) == [
        "00.errors.jpg",
        "00.label.jpg",
        "00.mask.jpg",
    ]


def test_markdown_has_a_sentence_for_each_number_and_survives_any_name(report: Report) -> None:
    text = to_markdown(report, {"command": ["ifseg"]})
    lines = text.splitlines()
    for name in ("mIoU", "mAcc", "aAcc", "fwIoU"):
        row = next(line for line in lines if line.startswith(f"| {name} |"))
        assert row.endswith(f"{report.sentences[name]} |".replace("\\", "\\\\"))
    row = next(line for line in lines if "star" in line)
    assert row.replace("\\|", "").count("|") == 11 and "a\\|b \\*star\\*" in row
    assert "- sub/b: no mask" in text


def test_pictures_of_the_users_in_a_folder_called_examples_stay(report: Report, tmp_path: Path) -> None:
    mine = [tmp_path / "out" / "examples" / name for name in ("00.label.jpg", "01.cat.jpg")]
    mine[0].parent.mkdir(parents=True)
    for path in mine:
        path.write_text("mine")
    mine[0].rename(mine[0].with_name("77.label.jpg"))
    write_report(report, tmp_path / "out", {}, palette(3))
    assert mine[1].read_text() == "mine" and mine[0].with_name("77.label.jpg").read_text() == "mine"
    write_report(report, tmp_path / "out", {}, palette(3))  # now a report of ours lies there
    assert mine[1].read_text() == "mine"
