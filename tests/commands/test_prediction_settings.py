"""`recipe.prediction` is what a model predicts with: every key of it has an effect, by every way of saying it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from command import ifseg, one_line_error
from PIL import Image
from tiny import save_tiny_model

from ifseg_cli.core.recipe import PredictionSettings, load_recipe
from ifseg_cli.core.recipe.expect import keys

# A value that must change what comes out, what is then different, and the folder of pictures where it shows.
CHANGED = {
    "presence": ("2.0", "confidence", "photos"),
    "smoothing_iterations": ("0", "confidence", "photos"),
    "neighbours": ("1", "confidence", "photos"),
    "spare_small": ("true", "confidence", "spots"),
    "refine": ('"pamr"', "confidence", "photos"),
    "threshold": ("0.999", "ignored", "photos"),
    "mode": ('"slide"', "confidence", "photos"),
    "short_side": ("32", "confidence", "photos"),
    "scales": ("[0.5, 1.0]", "confidence", "photos"),
    "flip": ("true", "confidence", "photos"),
    "keep_transparent": ("true", "ignored", "clear"),
    "accept_truncated": ("true", "failed", "cut"),
    "overlay": ("false", "overlay", "photos"),
    "save_confidence": ("true", "confidence_map", "photos"),
    "save_probabilities": ("true", "probabilities", "photos"),
    "export": ('["coco"]', "exported", "photos"),
    "max_pixels": ("10", "failed", "photos"),
}
Plain = dict[str, dict[str, object]]
SHORT = {"smoothing_iterations", "neighbours", "threshold", "short_side"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and a photograph: whole, half transparent, and cut off."""
    root = tmp_path_factory.mktemp("settings")
    save_tiny_model(root / "model")
    small = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    (root / "photos").mkdir()
    photograph = Image.fromarray(small).resize((96, 80), Image.Resampling.BICUBIC)
    photograph.save(root / "photos" / "a.png")
    (root / "spots").mkdir()
    for seed in range(9):  # of some the model is sure
        spots = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
        Image.fromarray(spots).resize((96, 80), Image.Resampling.NEAREST).save(root / "spots" / f"{seed}.png")
    (root / "clear").mkdir()
    photograph.putalpha(Image.linear_gradient("L").resize((96, 80)).point([0] * 128 + [255] * 128))
    photograph.save(root / "clear" / "a.png")
    (root / "cut").mkdir()
    photograph.convert("RGB").save(root / "cut" / "a.jpg", quality=95)
    (root / "cut" / "a.jpg").write_bytes((root / "cut" / "a.jpg").read_bytes()[:-900])
    return root


def facts(out: Path) -> dict[str, object]:
    """What a run came to: confidence, ignored pixels, overlay; or that nothing was done."""
    lines = (out / "predictions.jsonl").read_text().splitlines()
    exported = sorted(each.name for each in (out / "exports").glob("*"))
    read = [json.loads(line) for line in lines]
    confidence = [each["confidence"] for each in read]
    return {"failed": not lines, "exported": exported, **(read[0] if read else {}), "confidence": confidence}


def run(
    folder: Path, out: Path, *words: object, model: str | Path = "model", pictures: str = "photos"
) -> dict[str, object]:
    done = ifseg("predict", pictures, "--model", model, "--out", out, *words, cwd=folder)
    assert "Traceback" not in done.stderr
    return facts(out)


@pytest.fixture(scope="module")
def plain(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Plain:
    """What each folder of pictures gives without any setting."""
    out = tmp_path_factory.mktemp("plain")
    return {
        pictures: run(folder, out / pictures, pictures=pictures) for pictures in ("photos", "spots", "clear", "cut")
    }


def test_every_key_is_tried_here() -> None:
    assert set(CHANGED) == set(keys(PredictionSettings))


@pytest.mark.parametrize("key", CHANGED)
def test_a_set_has_an_effect_and_is_noted(key: str, folder: Path, plain: Plain, tmp_path: Path) -> None:
    value, changes, pictures = CHANGED[key]
    found = run(folder, tmp_path / "out", "--set", f"prediction.{key}={value}", pictures=pictures)
    assert found.get(changes) != plain[pictures].get(changes)
    noted = json.loads((tmp_path / "out" / "provenance.json").read_text())["settings"]
    assert noted[key] == json.loads(value)


@pytest.mark.parametrize("key", CHANGED)
def test_the_models_own_recipe_has_the_same_effect(key: str, folder: Path, plain: Plain, tmp_path: Path) -> None:
    value, changes, pictures = CHANGED[key]
    model = shutil.copytree(folder / "model", tmp_path / "model")
    (model / "recipe.yaml").write_text(load_recipe("default", [f"prediction.{key}={value}"]).to_yaml())
    found = run(folder, tmp_path / "out", model=model, pictures=pictures)
    assert found.get(changes) != plain[pictures].get(changes)


@pytest.mark.parametrize("key", sorted(SHORT))
def test_a_named_option_is_the_short_form_and_wins(key: str, folder: Path, tmp_path: Path) -> None:
    option, value = f"--{key.replace('_', '-')}", CHANGED[key][0]
    other = {"threshold": 0.5, "short_side": 64}.get(key, 7)
    named = run(folder, tmp_path / "named", option, value, "--set", f"prediction.{key}={other}")
    by_set = run(folder, tmp_path / "set", "--set", f"prediction.{key}={value}")
    assert {**named, "seconds": 0} == {**by_set, "seconds": 0}


def test_what_adapt_was_told_reaches_predict(folder: Path, tiny_base: Path, tmp_path: Path) -> None:
    values = ("optimiser.steps=1", "optimiser.batch_size=1", "prediction.smoothing_iterations=2")
    sets = [word for each in values for word in ("--set", each)]
    words = ["--category", "sky", "--category", "grass"]
    made = ifseg("adapt", *words, "--base", tiny_base, *sets, "--out", tmp_path / "m")
    assert made.returncode == 0, made.stderr
    run(folder, tmp_path / "out", model=tmp_path / "m")
    assert json.loads((tmp_path / "out" / "provenance.json").read_text())["settings"]["smoothing_iterations"] == 2


def test_evaluate_hears_them_too(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    Image.fromarray(np.zeros((80, 96), np.uint8)).save(tmp_path / "labels" / "a.png")
    (tmp_path / "cats.txt").write_text("cat\ndog\ngrass\nsky & <b>sea</b>\ntree\n")
    pair = ["--images", folder / "photos", "--labels", "labels", "--classes", "cats.txt", "--model", folder / "model"]
    done = ifseg("evaluate", *pair, "--set", "prediction.neighbours=1", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["provenance"]["prediction"]["neighbours"] == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["--set", "prediction.neighbours=0"],
            "prediction.neighbours is 0; expected a whole number from 1 to 100",
        ),
        (["--set", "prediction.neighbour=2"], "did you mean prediction.neighbours?"),
        (
            ["--set", "optimiser.steps=2"],
            "optimiser.steps does nothing to a finished model; expected prediction.",
        ),
        (["--short-side", "100000"], "--short-side is 100000; expected a whole number from 16 to 16384"),
        (["--short-side", "2000"], "larger ones go with mode: slide"),
        (["--scales", "1,big"], "--scales 1,big; expected numbers between commas"),
        (["--scales", "0"], "--scales"),
        (["--mode", "tiles"], "--mode is 'tiles'"),
        (["--refine", "more"], "--refine is 'more'; expected none, pamr, guided or crf"),
    ],
)
def test_what_cannot_be_is_told_before_the_model_is_read(words: list[str], says: str, folder: Path) -> None:
    assert says in one_line_error(ifseg("predict", "photos", "--model", "nowhere", *words, cwd=folder))
