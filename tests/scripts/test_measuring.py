from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from measuring import looks
from measuring import units as measuring_units
from measuring.looks import NEIGHBOURS, Look, kept_at, look
from measuring.numbers import Measured, by_name, count, figures, interval, resampled
from measuring.options import setup
from measuring.pictures import IGNORED, Picture, Task, clean, load_tasks, table_of
from measuring.rows import ROWS, winners
from measuring.units import measure, side_by_side
from names import drawn
from photographs import differences, options, table, units
from PIL import Image

from ifseg_cli.core.bases.folder import load_base
from ifseg_cli.core.prediction.method.upsample import label_map
from ifseg_cli.core.recipe import PredictionSettings, load_recipe

SMOOTHING = PredictionSettings(smoothing_iterations=2, neighbours=3)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """Two small pictures: a green one with names, and one whose every pixel is ignored."""
    rng = np.random.default_rng(0)
    pictures = []
    for name, values in (("first", (0, 7)), ("empty", (3, 3)), ("second", (7, 7))):
        mask = np.repeat(np.array(values, np.uint8), 16)[None].repeat(32, 0)
        pixels = rng.integers(0, 90, (32, 32, 3), dtype=np.uint8) + np.array([0, 120, 0], np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        Image.fromarray(mask).save(tmp_path / f"{name}-mask.png")
        pictures.append(Picture("small", name, tmp_path / f"{name}.png", tmp_path / f"{name}-mask.png"))
    return Task("small", ("grass", "sky"), table_of({0: [0], 1: [7, 8]}), tuple(pictures))


# ---------------------------------------------------------------- numbers


def test_counts_and_figures():
    truth = np.array([[0, 0, 1, IGNORED]], np.uint8)
    counts = count(truth, np.array([[0, 1, 1, 0]], np.int16), 3)
    assert counts.tolist() == [[1, 1, 0], [2, 1, 0], [1, 2, 0]]
    assert figures(counts) == pytest.approx([50, 200 / 3])
    assert by_name(counts) == pytest.approx([50, 50, np.nan], nan_ok=True)


def test_an_interval_is_over_pictures():
    good = np.array([[3, 3], [3, 3], [3, 3]])
    bad = np.array([[0, 0], [3, 3], [3, 3]])
    low, high = interval(resampled([np.stack([good, good, bad])]))
    assert low[0] < figures(2 * good + bad)[0] < high[0] == 100
    low, high = interval(resampled([np.stack([good, good])]))
    assert low.tolist() == high.tolist() == [100, 100]


def test_runs_have_a_mean_and_a_spread():
    good = np.array([[[3, 3], [3, 3], [3, 3]]])
    half = np.array([[[3, 0], [3, 3], [3, 3]]])
    measured = Measured.of([good, half])
    assert measured.each[:, 0].tolist() == [100, 50]
    assert measured.mean[0] == 75
    assert measured.spread[0] == pytest.approx(np.std([100, 50], ddof=1))
    assert measured.iou.tolist() == [100, 50]
    assert Measured.of([good]).spread.tolist() == [0, 0]


def test_rows_are_compared_on_the_same_pictures():
    rng = np.random.default_rng(0)
    labelled = rng.integers(50, 90, (30, 1, 2))
    right = rng.integers(0, 40, (30, 1, 2))
    counts = np.concatenate([right, labelled, labelled], axis=1)
    better = np.concatenate([right + 5, labelled, labelled], axis=1)
    rows = {"a": Measured.of([counts]), "d": Measured.of([better])}
    ((first, second, mean, (low, high)),) = differences(rows)
    assert (first, second) == ("d", "a")
    assert 0 < low < mean < high
    own = interval(rows["a"].samples)[:, 0]
    assert high - low < (own[1] - own[0]) / 2


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("wall-brick", "brick wall"),
        ("floor-wood", "wooden floor"),
        ("sky-other-merged", "sky"),
        ("door-stuff", "door"),
        ("window-blind", "window blind"),
    ],
)
def test_cocos_names_become_words(written: str, read: str):
    assert clean(written) == read


def test_a_task_can_have_fewer_names_and_pictures(task: Task):
    assert task.occurring() == [0, 1]
    sky = task.only([1])
    assert sky.names == ("sky",)
    assert sky.occurring() == [0]
    assert np.unique(sky.truth(task.pictures[0])).tolist() == [0, IGNORED]
    assert [picture.name for picture in task.every(2).pictures] == ["first", "second"]


def test_the_vocabularies_are_there():
    data = Path(__file__).parents[3] / "shared" / "data"
    if not (data / "coco128").is_dir():
        pytest.skip("needs ../shared/data/coco128: the first 128 images of COCO val2017 with their panoptic masks")
    tasks = {task.name: task for task in load_tasks(["everyday-24", "voc-20", "all"], data, Path("nowhere"))}
    assert [len(task.names) for task in tasks.values()] == [24, 20, 129]
    assert all(len(set(task.names)) == len(task.names) and len(task.pictures) == 100 for task in tasks.values())


def test_draws_of_one_seed_hold_one_another():
    there = list(range(0, 240, 2))
    few, many = drawn(5, 3, there, 240), drawn(20, 3, there, 240)
    assert set(few) < set(many) < set(there)
    assert few == sorted(few)
    assert few != drawn(5, 4, there, 240)
    assert drawn(240, 0, there, 240) == drawn(999, 1, there, 240) == list(range(240))


# ---------------------------------------------------------------- rows


def test_winners_are_those_of_the_program():
    torch.manual_seed(0)
    scores = torch.randn(1, 12, 4)
    neighbours = torch.randint(12, (1, 12, 8))
    seen = Look(torch.zeros(1, 12, 2), neighbours, (3, 4), torch.zeros(1, 1, 2))
    expected = label_map([scores[0].T.reshape(4, 3, 4)], (30, 50), are_scores=True).labels
    assert np.array_equal(winners(scores, seen, None, (30, 50)), expected)
    assert not np.array_equal(winners(scores, seen, SMOOTHING, (30, 50)), expected)


def test_a_look_is_remembered(task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    segmenter = load_base("builtin", torch.device("cpu")).network
    first = look(segmenter, task.pictures[0], tmp_path / "kept")
    assert kept_at(tmp_path / "kept", task.pictures[0]).is_file()
    monkeypatch.setattr(looks, "_see", lambda *_: pytest.fail("seen again"))
    again = look(segmenter, task.pictures[0], tmp_path / "kept")
    cells = first.grid[0] * first.grid[1]
    assert first.cells.shape == (1, cells, segmenter.config.dim)
    assert first.neighbours.shape == (1, cells, NEIGHBOURS)
    assert looks.grid_of(task.pictures[0], segmenter) == first.grid == again.grid
    assert torch.equal(first.cells, again.cells)
    assert torch.equal(first.neighbours, again.neighbours)


def test_a_table_is_measured(task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    text = "--seeds 2 --recipe pure --set optimiser.steps=1 --set optimiser.batch_size=1 --rows f b d e"
    given = options().parse_args([*text.split(), "--data", str(tmp_path), "--kept", str(tmp_path / "kept")])
    work = list(units(setup(given, given.rows), task, given.rows, {"own": given.seeds, "pure": 1}))
    assert [unit.rows for unit in work] == [("f", "b"), ("d", "e"), ("d", "e")]
    assert [unit.recipe.seed for unit in work if unit.recipe] == [0, 1]
    assert len({unit.kept_at for unit in work}) == 3
    found = measure(work[0]) | measure(work[1])
    for counts in found.values():
        assert counts.shape == (2, 3, 2)  # the empty picture is left out
        assert counts[:, 1].tolist() == [[32 * 16, 32 * 16], [0, 32 * 32]]
    monkeypatch.setattr(measuring_units, "work_out", lambda _: pytest.fail("measured again"))
    assert all(np.array_equal(counts, found[row]) for row, counts in measure(work[1]).items())
    lines = list(table(task, {row: Measured.of([counts]) for row, counts in found.items()}, classes=True))
    assert lines[0] == "small: 2 names, 2 pictures"
    assert all(len(line) <= 110 for line in lines)
    assert any(line.lstrip().startswith("(e) - (b)") for line in lines)


def test_work_is_shared_out_to_processes():
    assert sorted(side_by_side(abs, [-3, 4], 1)) == [(-3, 3), (4, 4)]


def test_every_row_has_a_recipe_that_is_shipped():
    assert {row.adapted for row in ROWS.values()} == {None, "own", "pure"}
    assert load_recipe("pure").synthesis.cells == "rows"
