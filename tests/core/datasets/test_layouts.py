"""Published data sets: trees as they are published, made by the tests, and real samples where they are at hand."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ifseg_cli.core.datasets.dataset import DROPPED, UNKNOWN, Dataset, DatasetOptions
from ifseg_cli.core.datasets.layouts import STEM, layouts
from ifseg_cli.core.datasets.preflight import check_dataset
from ifseg_cli.core.datasets.registry import open_dataset
from ifseg_cli.core.errors import DatasetError

REAL = Path(__file__).parents[4] / "shared" / "data"
SAMPLES = {  # data set -> top folder, images, classes that occur
    "ade20k": ("ade20k/ADEChallengeData2016", 3, 15),
    "coco-stuff": ("coco_stuff/coco_stuff164k", 7, None),
    "coco-stuff-27": ("coco_stuff/coco_stuff164k", 7, None),
    "coco-unseen": ("coco_stuff/coco_stuff164k", 7, None),
    "coco-panoptic": ("coco_panoptic", 2, None),
    "voc": ("voc/VOCdevkit/VOC2012", 4, None),
    "voc-20": ("voc/VOCdevkit/VOC2012", 4, None),
    "context": ("context/VOCdevkit/VOC2010", 4, None),
    "context-59": ("context/VOCdevkit/VOC2010", 4, None),
    "cityscapes": ("cityscapes", 1, None),
    "camvid": ("camvid/CamVid", 12, 11),
}


def make(name: str, root: Path, tree: int = 0, stems: tuple[str, ...] = ("a", "b")) -> Path:
    """A small data set in its published tree: in every label the lowest class, the highest, and an ignored value."""
    layout = layouts()[name]
    where = layout.trees[tree]
    values = [int(each["raw_id"]) for each in layout.shipped.entries]
    if where.train_ids:
        values = list(range(len(values)))
    if fine := layout.shipped.entries[0].get("fine_raw_ids"):
        values = [*fine]
    label = np.full((4, 6), layout.ignore[0], np.uint8)
    label[:2], label[2] = min(values), max(values)
    for stem in stems:
        for pattern in (where.images, where.labels):
            (root / pattern.replace(STEM, stem)).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 4)).save(root / where.images.replace(STEM, stem))
        drawn = np.dstack([label, np.zeros_like(label), np.zeros_like(label)]) if where.segments else label
        Image.fromarray(drawn).save(root / where.labels.replace(STEM, stem))
    if where.segments:
        infos = [{"id": value, "category_id": value} for value in (min(values), max(values))]
        entries = [{"file_name": f"{stem}.png", "segments_info": infos} for stem in stems]
        (root / where.segments).write_text(json.dumps({"annotations": entries}))
    if where.names:
        (root / where.names).parent.mkdir(parents=True, exist_ok=True)
        line = "/SegNet/test/{}.png x\n" if "test" in where.names else "{}\n"
        (root / where.names).write_text("".join(line.format(stem) for stem in stems))
    return root


def opened(name: str, root: Path | None, **more: object) -> Dataset:
    return open_dataset(name, DatasetOptions(root=root, **more))


EVERY_TREE = [
    (name, at) for name, layout in layouts().items() for at, tree in enumerate(layout.trees) if not tree.annotations
]


@pytest.mark.parametrize(("name", "tree"), EVERY_TREE)
def test_every_published_tree_is_read(name: str, tree: int, tmp_path: Path) -> None:
    stems = ("aachen/a", "aachen/b") if name == "cityscapes" else ("a", "b")
    dataset = opened(name, make(name, tmp_path, tree, stems))
    assert [sample.stem for sample in dataset] == list(stems) and len(dataset.images) == 2
    table = dataset.index_table()
    seen = {int(table[value]) for value in np.unique(dataset.labels.read(dataset.samples[0]))}
    if "fine_raw_ids" in layouts()[name].shipped.entries[0]:
        assert seen == {0, DROPPED}
    else:
        assert seen == {0, len(dataset.classes) - 1, DROPPED} or "coco-unseen" in name
    survey = check_dataset(dataset)
    assert survey.ignored(dataset) == 2 * 6


def test_a_list_of_samples_decides_and_what_it_misses_is_told(tmp_path: Path) -> None:
    root = make("voc", tmp_path, stems=("a", "b", "c"))
    (root / "ImageSets/Segmentation/val.txt").write_text("c\na\n")
    assert [sample.stem for sample in opened("voc", root)] == ["c", "a"]
    (root / "ImageSets/Segmentation/val.txt").write_text("c\nmissing\n")
    with pytest.raises(DatasetError, match=r"1 of the 2 names in .*val\.txt have no label: missing"):
        opened("voc", root)


def test_without_a_root_it_is_looked_for_in_its_usual_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IFSEG_DATA", raising=False)
    with pytest.raises(DatasetError) as caught:
        opened("ade20k", None)
    said = caught.value.message
    for part in ("ade20k is nowhere: tried data/ADEChallengeData2016", "MIT CSAIL", "annotations/validation", "--root"):
        assert part in said
    make("ade20k", tmp_path / "data" / "ADEChallengeData2016")
    assert len(opened("ade20k", None)) == 2
    monkeypatch.setenv("IFSEG_DATA", str(tmp_path / "elsewhere"))
    make("ade20k", tmp_path / "elsewhere" / "ADEChallengeData2016", stems=("only",))
    assert len(opened("ade20k", None)) == 1


def test_a_root_one_level_off_is_named(tmp_path: Path) -> None:
    root = make("ade20k", tmp_path / "up" / "ADEChallengeData2016")
    for wrong in (root.parent, root / "annotations"):
        with pytest.raises(DatasetError, match=re.escape(f"say --root {root}")):
            opened("ade20k", wrong)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="has no images/validation/, annotations/validation/"):
        opened("ade20k", tmp_path / "empty")
    with pytest.raises(DatasetError, match="does not exist"):
        opened("ade20k", tmp_path / "no")


def test_a_mistyped_name_and_options_of_others(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="did you mean ade20k"):
        opened("ade20", tmp_path)
    with pytest.raises(DatasetError, match="--labels with --dataset voc; expected only --root, --ignore"):
        opened("voc", tmp_path, labels=tmp_path)


def test_reduced_ade_labels_are_told(tmp_path: Path) -> None:
    """Labels of 0..149 and 255 look like ADE's but are shifted: wall would be "other"."""
    root = make("ade20k", tmp_path)
    for path in (root / "annotations" / "validation").iterdir():
        Image.fromarray(np.full((4, 6), 200, np.uint8)).save(path)
    with pytest.raises(DatasetError, match="labels hold values that are no class: 200"):
        check_dataset(opened("ade20k", root))


def test_a_segment_that_the_json_does_not_know(tmp_path: Path) -> None:
    root = make("coco-panoptic", tmp_path)
    (root / "annotations/panoptic_val2017.json").write_text('{"annotations": []}')
    with pytest.raises(DatasetError, match=r"says nothing of a\.png"):
        check_dataset(opened("coco-panoptic", root))
    (root / "annotations/panoptic_val2017.json").write_text("[]")
    with pytest.raises(DatasetError, match="COCO's panoptic annotations"):
        opened("coco-panoptic", root)


@pytest.mark.parametrize("name", SAMPLES)
def test_real_samples_in_their_true_layout(name: str) -> None:
    folder, images, classes = SAMPLES[name]
    if not (REAL / folder).is_dir():
        pytest.skip(f"needs ../shared/data/{folder}: a few images of {layouts()[name].home}")
    dataset = opened(name, REAL / folder)
    survey = check_dataset(dataset)
    assert len(dataset) == len(dataset.images) == images
    table = dataset.index_table()
    occur = {int(table[value]) for value in np.flatnonzero(survey.pixels)} - {DROPPED}
    assert UNKNOWN not in occur
    assert classes is None or len(occur) == classes
    assert 0 <= survey.ignored(dataset) < survey.pixels.sum()


def test_every_layout_is_whole() -> None:
    for layout in layouts().values():
        assert layout.official > 0 and layout.home and layout.title and layout.folders
        assert all(STEM in tree.images and STEM in tree.labels for tree in layout.trees)
        assert layout.shipped.categories
