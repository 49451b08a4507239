"""The base that ships, from the command line, on the photographs of examples/."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command import ifseg, one_line_error
from PIL import Image

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
WORDS = EXAMPLES / "categories.txt"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Adapted for three steps: enough to go through every part."""
    out = tmp_path_factory.mktemp("builtin") / "model"
    few = ["--set", "optimiser.steps=3", "--set", "optimiser.batch_size=2"]
    result = ifseg("adapt", "--categories", WORDS, "--out", out, *few)
    assert result.returncode == 0, result.stderr
    return out


def test_the_folder_is_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in (ROOT / "ifseg_cli" / "builtin").iterdir()) <= 32_000_000


def test_it_knows_the_words_of_the_examples() -> None:
    result = ifseg("vocab", WORDS, "--json")
    assert result.returncode == 0, result.stderr
    assert "error" not in result.stderr


def test_unknown_names_are_told_with_their_nearest_and_may_pass(tmp_path: Path) -> None:
    few = ["--set", "optimiser.steps=1", "--set", "optimiser.batch_size=1", "--out", tmp_path / "m"]
    words = ["--category", "sky", "--category", "gras", "--category", "qwertzing"]
    told = one_line_error(ifseg("adapt", *words, *few))
    for part in ("gras", "grass", "qwertzing", "--base", "--allow-unknown"):
        assert part in told
    result = ifseg("adapt", *words, *few, "--allow-unknown")
    assert result.returncode == 0, result.stderr
    assert "warning:" in result.stderr


def test_temple_sky_and_trees(model: Path, tmp_path: Path) -> None:
    """What the method's demo shows must be seen: a building in the middle, sky above it."""
    result = ifseg("predict", EXAMPLES / "photos" / "palace.jpg", "--model", model, "--out", tmp_path / "m")
    assert result.returncode == 0, result.stderr
    names = [each["name"] for each in json.loads((tmp_path / "m" / "classes.json").read_text())["classes"]]
    mask = np.asarray(Image.open(tmp_path / "m" / "palace.png"))
    truth = np.asarray(Image.open(EXAMPLES / "labels" / "palace.png"))
    for name, least in (("sky", 0.6), ("building", 0.5)):
        value = names.index(name)
        assert (mask[truth == value] == value).mean() > least, name


def test_better_than_chance_on_all_photographs(model: Path, tmp_path: Path) -> None:
    pair = ["--images", EXAMPLES / "photos", "--labels", EXAMPLES / "labels", "--classes", WORDS]
    result = ifseg("evaluate", *pair, "--model", model, "--out", tmp_path / "e", "--json", "--no-overlay")
    assert result.returncode == 0, result.stderr
    numbers = json.loads(result.stdout)["numbers"]
    assert numbers["mIoU"] > 0.2  # one of twenty at random: 0.03
    assert numbers["aAcc"] > 0.35


def test_the_published_form_is_a_recipe_too(tmp_path: Path) -> None:
    few = ["--set", "optimiser.steps=1", "--set", "optimiser.batch_size=1"]
    result = ifseg("adapt", "--categories", WORDS, "--recipe", "pure", *few, "--out", tmp_path / "m")
    assert result.returncode == 0, result.stderr
