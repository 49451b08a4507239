"""`ifseg synth` draws what `adapt` would train on, shows it and writes it."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from command import ifseg, one_line_error
from PIL import Image
from rich.console import Console
from safetensors.numpy import load_file

from ifseg_cli.commands.grids import grids, in_colour, symbols
from ifseg_cli.core.recipe import load_recipe
from ifseg_cli.core.synthesis.sampler import sampler_for

WORDS = "cat\ndog\ngrass\nsky\n"
FILES = ["provenance.json", "samples.safetensors", "sheet.png", "statistics.json"]


def drawn(folder: Path) -> dict[str, np.ndarray]:
    return load_file(folder / "samples.safetensors")


@pytest.fixture(scope="module")
def run(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """One run, looked at by several tests: its output folder, and what it said."""
    folder = tmp_path_factory.mktemp("synth")
    (folder / "cats.txt").write_text(WORDS)
    command = ["synth", "cats.txt", "--base", tiny_base, "--count", 5, "--seed", 3, "--out", "out"]
    return folder / "out", ifseg(*command, cwd=folder)


def test_draws_what_adapt_trains_on(run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    from tiny import CONFIG

    out, result = run
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert sorted(path.name for path in out.iterdir()) == FILES
    batch = sampler_for(load_recipe("default", ["seed=3"]), CONFIG, 4).batch(0, 5)
    np.testing.assert_array_equal(drawn(out)["ids"], batch.ids.numpy())
    np.testing.assert_array_equal(drawn(out)["target"], batch.target.numpy())
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.mode == "RGB"
    provenance = json.loads((out / "provenance.json").read_text())
    assert (provenance["seed"], provenance["count"], provenance["recipe"]) == (3, 5, "default")
    statistics = json.loads((out / "statistics.json").read_text())
    assert statistics["categories"] == ["cat", "dog", "grass", "sky"]
    assert statistics["images"] == 5


def test_the_terminal_shows_the_grid_that_was_written(run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    out, result = run
    grid = [["".join("ABCD"[category] for category in row) for row in ids] for ids in drawn(out)["ids"][:3]]
    shown = [line.rstrip() for line in result.stderr.splitlines()]
    beside = ["  ".join(parts) for parts in zip(*grid, strict=True)]
    start = shown.index(beside[0])
    assert shown[start : start + 6] == beside
    assert "A cat" in result.stderr
    assert "chi-square" in result.stderr
    assert all(str(Path("out") / name) in shown for name in FILES)


def test_the_same_seed_gives_the_same_files_however_it_is_said(
    run: tuple[Path, subprocess.CompletedProcess[str]], tiny_base: Path, tmp_path: Path
) -> None:
    (tmp_path / "cats.txt").write_text(WORDS)
    options = ["--count", 5, "--recipe", "default", "--set", "seed=3", "--out", tmp_path / "again"]
    assert ifseg("synth", tmp_path / "cats.txt", "--base", tiny_base, *options).returncode == 0
    for file in ("samples.safetensors", "sheet.png", "statistics.json"):
        assert (tmp_path / "again" / file).read_bytes() == (run[0] / file).read_bytes()


def test_json_stands_on_stdout_alone(tiny_base: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["synth", "coco-stuff", "--base", tiny_base, "--recipe", "quick", "--set", "seed=1", "--json"]
    result = ifseg(*command, "--out", out)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["draws"]["layout"] == "regions"
    assert told["draws"]["seed"] == 1
    assert len(told["categories"]) == len(told["statistics"]["pixel_share"]) == 171
    assert sorted(Path(file).name for file in told["files"]) == FILES
    assert all(Path(file).is_file() for file in told["files"])


def test_nothing_is_overwritten_unasked(tiny_base: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "statistics.json").write_text("mine")
    command = ["synth", "--category", "cat", "--category", "dog", "--base", tiny_base, "--out", out]
    assert "exists already" in one_line_error(ifseg(*command))
    assert (out / "statistics.json").read_text() == "mine"
    assert ifseg(*command, "--overwrite").returncode == 0
    assert json.loads((out / "statistics.json").read_text())["images"] == 16


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["nowhere.txt"], "nowhere.txt"),
        ([], "no categories"),
        (["voc", "--category", "cat"], "--category"),
        (["voc", "--recipe", "fast"], "quick"),
        (["voc", "--recipe", "default", "--set", "synthesis.layuot=grid"], "synthesis.layout"),
        (["voc", "--recipe", "default", "--set", "synthesis.max_side=0"], "max_side"),
        (["voc", "--count", "0"], "--count"),
        (["voc", "--seed", "-1"], "--seed"),
        (["voc", "--base", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_cost_one_line_and_no_files(
    tiny_base: Path, tmp_path: Path, options: list[str], expected: str
) -> None:
    base = [] if "--base" in options else ["--base", str(tiny_base)]
    assert expected in one_line_error(ifseg("synth", *options, *base, "--out", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def printed(maps: list[np.ndarray], names: list[str], **options: object) -> str:
    console = Console(file=io.StringIO(), width=80, **options)  # pyright: ignore
    colours = [(number % 256, 7, number // 256) for number in range(len(names))]
    captions = [f"map {number}" for number in range(len(maps))]
    console.print(grids(maps, captions, names, colours, console))
    return console.file.getvalue()  # pyright: ignore


@pytest.mark.parametrize(("side", "categories", "expected"), [(16, 4, 3), (32, 4, 2), (32, 100, 1), (100, 4, 1)])
def test_grids_fit_in_80_columns(side: int, categories: int, expected: int) -> None:
    maps = [np.arange(side * side).reshape(side, side) % categories for _ in range(3)]
    text = printed(maps, [f"n{number}" for number in range(categories)])
    assert max(map(len, text.splitlines())) <= 80
    assert [f"map {number}" in text for number in range(3)] == [number < expected for number in range(3)]
    assert ("every 2. cell" in text) == (side == 100)


def test_half_blocks_hold_two_cells() -> None:
    text = printed([np.array([[0, 1], [1, 0], [0, 0]])], ["a", "b"], force_terminal=True, color_system="truecolor")
    lines = text.splitlines()
    assert "38;2;0;7;0;48;2;1;7;0m▀" in lines[1]
    assert "38;2;1;7;0;48;2;0;7;0m▀" in lines[1]
    assert "38;2;0;7;0m▀" in lines[2]  # the odd last row has nothing below it
    assert "▀" not in lines[3]


def test_colour_is_used_where_it_reaches_a_reader() -> None:
    assert in_colour(Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", no_color=False))
    assert not in_colour(Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", no_color=True))
    assert not in_colour(Console(file=io.StringIO(), force_terminal=False))


@pytest.mark.parametrize("count", [1, 62, 63, 1024])
def test_symbols_are_distinct_and_equally_wide(count: int) -> None:
    made = symbols(count)
    assert len(set(made)) == len(made) == count
    assert len({len(mark) for mark in made}) == 1
