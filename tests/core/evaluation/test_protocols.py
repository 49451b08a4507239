"""Protocols: which classes compete, how seen and unseen are averaged, and how nameless clusters find their classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ifseg_cli.core.datasets.dataset import DROPPED, Dataset, DatasetOptions
from ifseg_cli.core.datasets.layouts import layouts
from ifseg_cli.core.datasets.registry import dataset_categories, open_dataset, unseen_list
from ifseg_cli.core.errors import DatasetError
from ifseg_cli.core.evaluation.evaluate import evaluate_predictions
from ifseg_cli.core.evaluation.predictions import open_predictions
from ifseg_cli.core.evaluation.protocols import Protocol, choose_protocol, harmonic
from ifseg_cli.core.evaluation.report import Report
from ifseg_cli.core.evaluation.rules import Rules

NAMES = ("sky", "grass", "road", "car")


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    random = np.random.default_rng(0)
    for folder in ("labels", "masks"):
        (tmp_path / folder).mkdir()
        for stem in "abc":
            ids = np.kron(random.integers(0, 4, (4, 4)), np.ones((6, 6))).astype(np.uint8)
            if folder == "masks":  # mostly right
                label = np.asarray(Image.open(tmp_path / "labels" / f"{stem}.png"))
                ids = np.where(random.random(ids.shape) < 0.6, label, ids).astype(np.uint8)
            Image.fromarray(ids).save(tmp_path / folder / f"{stem}.png")
    (tmp_path / "cats.txt").write_text("\n".join(NAMES))
    (tmp_path / "unseen.txt").write_text("road\ngrass\n")
    return open_dataset("folder", DatasetOptions(None, tmp_path / "labels", str(tmp_path / "cats.txt")))


def judged(dataset: Dataset, folder: Path, rules: Rules, protocol: Protocol = Protocol()) -> Report:
    applied = protocol.applied(dataset)
    return evaluate_predictions(applied, [open_predictions(folder, applied)], rules, protocol)[0]


def chosen(name: str, tmp_path: Path) -> Protocol:
    return choose_protocol(Rules(protocol=name, unseen=str(tmp_path / "unseen.txt")), NAMES, "cats.txt", "")


def test_zero_shot_drops_every_pixel_of_a_seen_class(dataset: Dataset, tmp_path: Path) -> None:
    protocol = chosen("zero-shot", tmp_path)
    applied = protocol.applied(dataset)
    assert applied.classes == ("road", "grass") and applied.raw_ids == (2, 1)
    assert applied.index_table()[[0, 1, 2, 3, 255]].tolist() == [DROPPED, 1, 0, DROPPED, DROPPED]
    report = judged(dataset, tmp_path / "masks", Rules(protocol="zero-shot"), protocol)
    full = judged(dataset, tmp_path / "masks", Rules()).confusion.matrix
    assert report.confusion.matrix[:2, :2].tolist() == full[np.ix_([2, 1], [2, 1])].tolist()
    assert report.confusion.outside_predictions == full[1:3, [0, 3]].sum()  # a seen class on an unseen pixel is wrong
    assert "the unseen classes alone compete" in " ".join(report.notes())


def test_generalised_averages_seen_and_unseen_apart(dataset: Dataset, tmp_path: Path) -> None:
    report = judged(dataset, tmp_path / "masks", Rules(protocol="generalised"), chosen("generalised", tmp_path))
    iou, numbers = report.scores.iou, report.numbers()
    assert numbers["seen"] == pytest.approx((iou[0] + iou[3]) / 2)
    assert numbers["unseen"] == pytest.approx((iou[1] + iou[2]) / 2)
    assert numbers["harmonic"] == pytest.approx(2 / (1 / numbers["seen"] + 1 / numbers["unseen"]))
    assert report.sentences["harmonic"].startswith("2 s u / (s + u)")


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_harmonic_mean_lies_below_both_means(seen: float, unseen: float) -> None:
    assert min(seen, unseen) - 1e-12 <= harmonic(seen, unseen) <= (seen + unseen) / 2 + 1e-12
    assert harmonic(seen, 0.0) == 0


def test_faults(tmp_path: Path) -> None:
    (tmp_path / "unseen.txt").write_text("boat\n")
    with pytest.raises(DatasetError, match=r"names 'boat'; expected classes of cats\.txt"):
        chosen("zero-shot", tmp_path)
    (tmp_path / "unseen.txt").write_text("\n".join(NAMES))
    with pytest.raises(DatasetError, match=r"every class of cats\.txt is unseen"):
        chosen("generalised", tmp_path)


@pytest.mark.parametrize("name", ["coco-stuff", "coco-stuff-ifseg"])
def test_coco_stuff_has_its_own_split(name: str) -> None:
    """156 seen and 15 unseen; zero-shot on coco-stuff is what coco-unseen is by itself."""
    classes = [each.name for each in dataset_categories(name, DatasetOptions())]
    protocol = choose_protocol(Rules(protocol="zero-shot"), classes, name, unseen_list(name))
    alone = dataset_categories(unseen_list(name), DatasetOptions())
    assert protocol.unseen == tuple(each.name for each in alone) and len(classes) - len(protocol.unseen) == 156
    whole, part = (layouts()[each].shipped for each in (name, unseen_list(name)))
    raw = {category.name: entry["raw_id"] for category, entry in zip(whole.categories, whole.entries, strict=True)}
    for category, entry in zip(part.categories, part.entries, strict=True):
        assert raw[category.name] == entry["raw_id"]


def test_clusters_find_their_classes(dataset: Dataset, tmp_path: Path) -> None:
    """Renamed at random, clusters score what they scored by name: no other assignment has more pixels right."""
    pytest.importorskip("scipy", reason="needs the extra ifseg[match]")
    by_name = judged(dataset, tmp_path / "masks", Rules())
    renamed = np.arange(256, dtype=np.uint8)
    renamed[:4] = [9, 3, 200, 0]
    for path in (tmp_path / "masks").glob("*.png"):
        Image.fromarray(renamed[np.asarray(Image.open(path))]).save(path)
    matched = judged(dataset, tmp_path / "masks", Rules(match="hungarian"))
    assert np.array_equal(matched.confusion.matrix, by_name.confusion.matrix)
    assert matched.predictions.values_from == "4 clusters, 4 of them matched to classes by the Hungarian method"


def test_clusters_left_over_are_no_class(dataset: Dataset, tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="needs the extra ifseg[match]")
    for path in (tmp_path / "masks").glob("*.png"):
        mask = np.asarray(Image.open(path)).copy()
        mask[:3] += 10  # every cluster in two
        Image.fromarray(mask).save(path)
    report = judged(dataset, tmp_path / "masks", Rules(match="hungarian"))
    assert report.predictions.values_from.startswith("8 clusters, 4 of them matched")
    assert report.confusion.outside_predictions > 0


def test_masks_that_carry_names_are_no_clusters(dataset: Dataset, tmp_path: Path) -> None:
    pytest.importorskip("scipy", reason="needs the extra ifseg[match]")
    rows = ", ".join(f'{{"value": {at}, "name": "{name}"}}' for at, name in enumerate(NAMES))
    (tmp_path / "masks" / "classes.json").write_text(f'{{"ignore": 255, "classes": [{rows}]}}')
    with pytest.raises(DatasetError, match="names what the masks show; expected clusters without names"):
        judged(dataset, tmp_path / "masks", Rules(match="hungarian"))
