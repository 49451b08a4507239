"""The golden cases through the command line: `ifseg evaluate` prints what the field's own evaluators printed.

Some runs are of settings that are wrong on purpose (an ignored value that is a class, labels off by one): they can be
said on the command line too, since a wrong setting of another's must be possible to repeat.
"""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from ifseg_cli.app import app
from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.vocabulary import read_categories

sys.path.insert(0, str(Path(__file__).parents[1] / "core" / "evaluation"))
from golden import FETCH, SHARED, Run, find_run, run_names

EVALUATORS = {"mmseg": "mmseg_0.28", "csail": "csail_sceneparsing", "cocostuff": "cocostuffapi"}


def names(number: int) -> list[str]:
    return [f"class {index}" for index in range(number)]


def write_map(path: Path, lines: dict[int, str]) -> list[str]:
    path.write_text("".join(f"{value} = {name}\n" for value, name in lines.items()))
    return ["--class-map", str(path)]


def coco_words(run: Run, folder: Path, labels: Path) -> list[str]:
    """COCO-Stuff's cases: the same labels as three data sets; predictions hold the indices of the 171."""
    fine = [each.name for each in read_categories("coco-stuff")]
    classes = run.values["settings"]["num_classes"]
    if classes == 171:
        given = write_map(folder / "map.txt", dict(enumerate(fine)))
        return ["--labels", str(labels), "--classes", "coco-stuff", "--undeclared", "ignored", *given]
    (folder / "root" / "annotations").mkdir(parents=True)
    shutil.move(labels, folder / "root" / "annotations" / "val2017")
    name = "coco-stuff-27" if classes == 27 else "coco-unseen"
    if classes == 27:
        table = json.loads((SHARED / "labels" / "coco_stuff_27.json").read_text())["fine_index171_to_coarse"]
        pairs = table.items() if isinstance(table, dict) else enumerate(table)
        coarse = [each.name for each in read_categories(name)]
        lines = {int(index): coarse[int(at)] for index, at in pairs}
    else:
        listed = json.loads((SHARED / "labels" / "coco_unseen_15.json").read_text())["classes"]
        unseen = [each.name for each in read_categories(name)]
        lines = {each["index171"]: unseen[each["index"]] for each in listed}
    return ["--dataset", name, "--root", str(folder / "root"), *write_map(folder / "map.txt", lines)]


def words(run: Run, folder: Path) -> list[str]:
    """A run's settings as a user would say them; its files are copied into `folder`."""
    settings = run.values["settings"]
    (folder / "labels").mkdir()
    (folder / "masks").mkdir()
    for file in run.case["files"]:
        if settings["files"] == "all" or file["stem"] in settings["files"]:
            shutil.copy(run.folder / file["label"], folder / "labels" / f"{file['stem']}.png")
            shutil.copy(run.folder / settings["predictions"] / f"{file['stem']}.png", folder / "masks")
    if run.folder.name == "coco_stuff_171_sample":
        return coco_words(run, folder, folder / "labels")
    number, ignored, given = settings["num_classes"], settings["ignore_index"], list[str]()
    first = 92 if run.folder.name == "coco_stuff_challenge_sample" else int(settings["reduce_zero_label"])
    lines = [f"{first + index} {name}\n" for index, name in enumerate(names(number))]
    (folder / "classes.txt").write_text("".join(lines))
    if settings["reduce_zero_label"] or first == 92:
        given += ["--ignore", "0"]
    if settings["reduce_zero_label"] and "prediction_shift" not in settings:
        given += write_map(folder / "map.txt", dict(enumerate(names(number))))
    if ignored not in (255, 65535) or (ignored == 255 and number > 255):  # not what is usual for such labels
        given += ["--ignore", "none", "--ignore", str(ignored)]
    return [
        "--labels",
        str(folder / "labels"),
        "--classes",
        str(folder / "classes.txt"),
        "--undeclared",
        "kept",
        *given,
    ]


def evaluated(given: list[str], folder: Path, definition: str) -> dict[str, Any]:
    out = folder / f"out-{definition}"
    masks = ["--predictions", str(folder / "masks"), "--definition", definition, "--out", str(out)]
    app(["evaluate", *given, *masks], standalone_mode=False)
    return json.loads((out / "report.json").read_text())


def same(ours: float | None, theirs: float | None) -> bool:
    return (
        ours is None and theirs is None if ours is None or theirs is None else math.isclose(ours, theirs, abs_tol=1e-9)
    )


@pytest.mark.parametrize("name", run_names(), ids=lambda name: f"{name[0]}-{name[1]}")
def test_the_command_prints_the_numbers_of_the_evaluators(name: tuple[str, int], tmp_path: Path) -> None:
    run = find_run(*name)
    if run is None:
        pytest.skip(f"needs ../shared/data/golden/{name[0]}: {FETCH[name[0]]}")
    given = words(run, tmp_path)
    if run.values["results"]["mmseg_0.28"]["mIoU"] is None:  # nothing to judge: 0/0 there, one line here
        with pytest.raises(DatasetError, match="all pixels of all labels are ignored"):
            evaluated(given, tmp_path, "mmseg")
        return
    for definition, evaluator in EVALUATORS.items():
        expected = run.values["results"][evaluator]
        if "error" in expected:
            with pytest.raises(DatasetError, match="no class"):
                evaluated(given, tmp_path, definition)
            continue
        report = evaluated(given, tmp_path, definition)
        for ours, theirs in (("right", "intersect"), ("predicted", "pred"), ("labelled", "label")):
            if theirs in expected:
                assert [row[ours] for row in report["classes"]] == expected[theirs], (definition, theirs)
        assert all(same(row["iou"], iou) for row, iou in zip(report["classes"], expected["IoU"], strict=True))
        accuracy = "aAcc" if definition == "mmseg" else "pixel_accuracy"
        for ours, theirs in (("mIoU", "mIoU"), ("aAcc", accuracy)):
            assert same(report["numbers"][ours], expected[theirs]), (definition, ours)
        if definition != "csail":  # CSAIL defines none
            assert same(report["numbers"]["mAcc"], expected["mAcc"])
