"""Recipes: what ships is explained; what a user writes is checked to the line; what is saved comes back equal."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from ifseg_cli.core.errors import RecipeError
from ifseg_cli.core.recipe import Optimiser, PredictionSettings, Recipe, Synthesis, load_recipe, recipe_names
from ifseg_cli.core.recipe.expect import expectation, keys
from ifseg_cli.core.recipe.load import validated
from ifseg_cli.core.recipe.source import read_value, read_yaml
from ifseg_cli.core.shipped import shipped

SHIPPED = ("default", "light", "pure", "quick")
THERE = "expected a YAML file, or one of: default, light, pure, quick"


def refusal(text: str | bytes, tmp_path: Path, *overrides: str) -> str:
    """The one line with which `text`, with these `--set`s, is refused; the file is called my.yaml in it."""
    path = tmp_path / "my.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RecipeError) as caught:
        load_recipe(path, overrides)
    assert "\n" not in caught.value.message
    return caught.value.message.replace(f"{tmp_path}/", "")


# What ships


def test_four_recipes_ship() -> None:
    assert recipe_names() == SHIPPED


def test_default_is_the_published_run_and_the_schemas_defaults() -> None:
    recipe = load_recipe("default")
    assert recipe == Recipe(description=recipe.description)
    assert recipe.optimiser == Optimiser(
        steps=2000, batch_size=16, learning_rate=5e-5, weight_decay=0.1, betas=(0.9, 0.999), eps=1e-8, clip_norm=1.0
    )
    assert recipe.synthesis.max_side is None  # the grid's side: 32 at a published OFA's native grid
    assert recipe.prediction == PredictionSettings(smoothing_iterations=25, neighbours=3)


def test_pure_is_the_published_form_at_quicks_size() -> None:
    default, pure, quick = (load_recipe(name) for name in ("default", "pure", "quick"))
    assert (pure.synthesis.layout, pure.synthesis.cells) == (default.synthesis.layout, default.synthesis.cells)
    assert (pure.grid, pure.optimiser.steps, pure.optimiser.batch_size) == (
        quick.grid,
        quick.optimiser.steps,
        quick.optimiser.batch_size,
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_recipe_opens_with_its_command_and_gives_each_value_a_reason(name: str) -> None:
    text = (shipped("recipes") / f"{name}.yaml").read_text(encoding="utf-8")
    assert re.match(rf"# ifseg adapt .*--recipe {name}\n", text)
    values = [line for line in text.splitlines() if re.search(r"^\s*\w+: *[^#\s]", line)]
    unexplained = [line for line in values if "  # " not in line and not line.startswith("description")]
    assert not unexplained
    assert set(keys(Recipe)) == {".".join(map(str, key)) for key in leaves(name)}, "a shipped recipe says everything"


def leaves(name: str) -> list[tuple[str | int, ...]]:
    places = list(read_yaml((shipped("recipes") / f"{name}.yaml").read_text(), name).places)
    named = [key for key in places if key and not isinstance(key[-1], int)]
    return [key for key in named if not any(other[: len(key)] == key and other != key for other in named)]


# What a user writes


def test_keys_left_out_have_the_published_values(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("optimiser:\n  steps: 7\n")
    assert load_recipe(tmp_path / "my.yaml") == Recipe(optimiser=Optimiser(steps=7))


def test_an_empty_file_with_a_bom_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_bytes(b"\xef\xbb\xbf# nothing\r\n")
    assert load_recipe(tmp_path / "my.yaml") == Recipe()


def test_numbers_are_what_people_mean(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(
        "optimiser:\n  learning_rate: 5e-5\n  eps: 1E-8\n  weight_decay: .1\n  clip_norm: 1\n"
    )
    optimiser = load_recipe(tmp_path / "my.yaml").optimiser
    assert (optimiser.learning_rate, optimiser.eps, optimiser.weight_decay, optimiser.clip_norm) == (
        5e-5,
        1e-8,
        0.1,
        1.0,
    )


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "y", "N", "1:30", "010", "1_000", "0x10", "2001-01-01"])
def test_yaml_1_1_traps_stay_words(word: str) -> None:
    assert read_value(word, "here") == word


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("seed: 0\ntrain:\n  alll: 4", 2, "train is a section; expected all, decoder, positions or low_rank"),
        ("seed: 0\nsaving:\n  log_evry: 4", 3, "saving.log_evry is no key of a recipe; did you mean saving.log_every?"),
        ("\nbatch_size: 1", 2, "batch_size is no key of a recipe; did you mean optimiser.batch_size?"),
        ("xyzzy: 1", 1, "xyzzy is no key of a recipe; see the shipped recipe default.yaml for all keys"),
        ("1: 2", 1, "1 is no key of a recipe; see the shipped recipe default.yaml for all keys"),
        ("<<: {seed: 1}", 1, "<< is no key of a recipe"),
        ("optimiser:\n  steps: many", 2, "optimiser.steps is 'many'; expected a whole number from 1 to 10000000"),
        ("optimiser: {steps: 10.0}", 1, "optimiser.steps is 10.0; expected a whole number from 1 to 10000000"),
        ("optimiser: {eps: .nan}", 1, "optimiser.eps is nan; expected a number above 0 and at most 1"),
        ("optimiser: {clip_norm: true}", 1, "optimiser.clip_norm is true; expected a number above 0"),
        ("optimiser: 5", 1, "optimiser is 5; expected a section with the keys steps, batch_size, "),
        ("optimiser:", 1, "optimiser is empty (null); expected a section with the keys steps, "),
        (
            "optimiser:\n  betas: [0.9]",
            2,
            "optimiser.betas is [0.9]; expected a list of 2, each a number of at least 0",
        ),
        ("optimiser:\n  betas:\n    - 0.9\n    - 1", 4, "optimiser.betas[1] is 1; expected a list of 2"),
        (
            "optimiser: {steps: 9, warmup_steps: 9}",
            1,
            "optimiser.warmup_steps is 9; expected less than optimiser.steps, 9",
        ),
        ("synthesis: {layout: grit}", 1, "synthesis.layout is 'grit'; expected grid or regions"),
        (
            "synthesis: {max_categories: 0}",
            1,
            "synthesis.max_categories is 0; expected a whole number of at least 1, or null",
        ),
        (
            "regularisation: {dropout: 1.0}",
            1,
            "regularisation.dropout is 1.0; expected a number of at least 0 and below 1",
        ),
        ("train: on", 1, "train is 'on'; expected all, decoder, positions or low_rank"),
        ("grid: yes", 1, "grid is 'yes'; expected a whole number from 1 to 256, or null"),
        ("seed: -1", 1, "seed is -1; expected a whole number from 0 to 4294967295"),
        (
            "seed: -1\ngrid: 0",
            1,
            "seed is -1; expected a whole number from 0 to 4294967295; (1 more problem after this one)",
        ),
        ("description: [a, b]", 1, "description is ['a', 'b']; expected text"),
        ("seed: 1\ntrain: all\nseed: 2", 3, "seed is given twice; expected each key once; delete one of the two lines"),
        ("optimiser:\n  eps: 1\n  eps: 1", 3, "optimiser.eps is given twice"),
        ("a: &x [1]\nb: *x", 2, "cannot be read as YAML (an alias (*name))"),
        ("seed: !!python/object/apply:os.getpid []", 1, "the tag tag:yaml.org,2002:python/object/apply:os.getpid"),
        ("seed: !!int many", 1, "'many'; expected a value of the kind int"),
        ("seed: " + "9" * 5000, 1, "'9999"),
        ("? [1]\n: 2", 1, "a key that is no word"),
        ("seed: [1", 1, "cannot be read as YAML"),
        ("seed: 1\n---\nseed: 2", 2, "cannot be read as YAML"),
    ],
)
def test_a_faulty_line_is_refused_by_its_number(text: str, line: int, message: str, tmp_path: Path) -> None:
    assert refusal(text, tmp_path).startswith(f"my.yaml, line {line}: {message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- seed", "my.yaml holds no keys; expected lines like `seed: 0`"),
        ("default", "my.yaml holds no keys"),
        ("[" * 600, "my.yaml is nested too deeply"),
        ("seed: \0", "my.yaml is not YAML text"),
        (b"\xff\xfe\x00", "recipe my.yaml is not UTF-8 text"),
        ("#" * (1 << 20) + "\n", "recipe my.yaml has 1048577 bytes"),
    ],
    ids=["list", "word", "deep", "nul", "bytes", "long"],
)
def test_what_is_no_recipe_is_refused(content: str | bytes, message: str, tmp_path: Path) -> None:
    assert refusal(content, tmp_path).startswith(message)


def test_a_boolean_is_true_or_false() -> None:
    class Switch(BaseModel, strict=True):
        lit: bool = False

    assert validated(Switch, read_yaml("lit: true", "my.yaml")).lit
    with pytest.raises(RecipeError, match=r"my.yaml, line 1: lit is 'no'; expected true or false"):
        validated(Switch, read_yaml("lit: no", "my.yaml"))


def test_every_key_says_in_words_what_it_expects() -> None:
    for key in keys(Recipe):
        assert re.match("a |text|[a-z0-9, ]+ or [a-z0-9]+", expectation(Recipe, tuple(key.split(".")))), key


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "qick",
            f"recipe qick is not there; {THERE}; did you mean quick?",
        ),
        (
            "./quick.yaml",
            f"recipe ./quick.yaml is not there; {THERE}",
        ),
        (".", "recipe . is a folder; expected a YAML file"),
        ("", THERE),
        ("../recipes/quick", "is not there"),
    ],
)
def test_a_missing_recipe_is_answered_with_what_there_is(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError) as caught:
        load_recipe(name)
    assert message in caught.value.message


# --set


def test_set_replaces_single_values_and_the_last_wins() -> None:
    recipe = load_recipe(
        "quick",
        ["optimiser.steps=5", "grid=null", "optimiser.betas=[0.5, 0.6]", "optimiser.steps=6", "description=a=b"],
    )
    assert (recipe.optimiser.steps, recipe.grid, recipe.optimiser.betas, recipe.description) == (
        6,
        None,
        (0.5, 0.6),
        "a=b",
    )
    assert recipe.optimiser.batch_size == load_recipe("quick").optimiser.batch_size


def test_set_opens_a_section_the_file_left_out(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("seed: 1")
    assert load_recipe(tmp_path / "my.yaml", ["synthesis.max_side=3"]) == Recipe(
        seed=1, synthesis=Synthesis(max_side=3)
    )


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("steps=4", "--set steps is no key of a recipe; did you mean optimiser.steps?"),
        ("optimizer.steps=4", "--set optimizer.steps is no key of a recipe; did you mean optimiser.steps?"),
        ("optimiser=4", "--set optimiser is a section; expected one of its keys: optimiser.steps, "),
        ("seed", "--set seed; expected KEY=VALUE"),
        ("=3", "--set"),
        ("optimiser.steps=", "--set optimiser.steps is empty (null); expected a whole number from 1 to 10000000"),
        ("optimiser.steps=many", "--set optimiser.steps is 'many'; expected a whole number from 1 to 10000000"),
        ("optimiser.betas=[1, 0]", "--set optimiser.betas: optimiser.betas[0] is 1; expected a list of 2"),
        ("seed={a: 1}", "--set seed is a section; expected a whole number"),
        ("seed=[1", "--set seed, line 1: cannot be read as YAML"),
    ],
)
def test_a_faulty_set_is_refused(override: str, message: str, tmp_path: Path) -> None:
    assert message in refusal("seed: 0", tmp_path, override)


# What is saved

part = st.floats(0, 0.99)
small = st.floats(1e-12, 1, exclude_min=True)
count = st.integers(1, 10_000_000)
recipes = st.builds(
    Recipe,
    description=st.text(),
    synthesis=st.builds(
        Synthesis,
        max_side=st.integers(1, 1024),
        layout=st.sampled_from(["grid", "regions"]),
        cells=st.sampled_from(["rows", "evidence"]),
        max_categories=st.none() | count,
        heights=st.floats(0, 20),
    ),
    grid=st.none() | st.integers(1, 256),
    optimiser=st.builds(
        Optimiser,
        steps=count,
        batch_size=st.integers(1, 4096),
        learning_rate=small,
        betas=st.tuples(part, part),
        eps=small,
        clip_norm=small,
    ),
    train=st.sampled_from(["all", "decoder", "positions"]),
    seed=st.integers(0, 2**32 - 1),
)


@given(recipe=recipes)
@settings(deadline=None, max_examples=30)
def test_a_saved_recipe_comes_back_equal(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("saved") / "recipe.yaml"
    path.write_bytes(recipe.to_yaml().encode())
    assert load_recipe(path) == recipe


def test_a_saved_recipe_says_everything_and_what_it_means() -> None:
    lines = load_recipe("quick").to_yaml().splitlines()
    assert all("  # " in line for line in lines)
    assert len(lines) == len(keys(Recipe)) + 6  # five sections


def test_a_recipe_never_changes() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_recipe("quick").seed = 1


def test_recipes_load_without_torch() -> None:
    code = (
        "import sys; from ifseg_cli.core.recipe import load_recipe as l; l('quick'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
