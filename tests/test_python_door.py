"""The five commands from Python: the same files as the command line makes, and README's lines run."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from command import ifseg
from PIL import Image

import ifseg_cli
from ifseg_cli import adapt, evaluate, load_model, predict, synth, vocab
from ifseg_cli.core.errors import OutputError

ROOT = Path(__file__).parents[1]
WORDS = ["sky", "grass", "tree"]
FEW = ["optimiser.steps=2", "optimiser.batch_size=1"]
CPU = {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    """The whole way, once by the command line (`c-...`) and once from Python (`p-...`)."""
    root = tmp_path_factory.mktemp("door")
    (root / "cats.txt").write_text("\n".join(WORDS))
    for name in ("photos", "labels"):
        (root / name).mkdir()
    small = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    for stem in ("a", "b"):
        Image.fromarray(small).resize((70, 60), Image.Resampling.BICUBIC).save(root / "photos" / f"{stem}.png")
        Image.fromarray(np.zeros((60, 70), np.uint8)).save(root / "labels" / f"{stem}.png")
    sets = [word for each in FEW for word in ("--set", each)]
    pair = ["--images", "photos", "--labels", "labels", "--classes", "cats.txt", "--model", "c-model"]
    for words in (
        ["vocab", "cats.txt", "--base", tiny_base, "--out", "c-vocabulary.json"],
        ["synth", "cats.txt", "--base", tiny_base, "--out", "c-synth", "--count", 3],
        ["adapt", "--categories", "cats.txt", "--base", tiny_base, *sets, "--out", "c-model"],
        ["predict", "photos", "--model", "c-model", "--out", "c-masks"],
        ["evaluate", *pair, "--out", "c-evaluation"],
    ):
        done = ifseg(*words, cwd=root)
        assert done.returncode == 0, done.stderr
    return root


def same(one: Path, other: Path, *, apart: tuple[str, ...] = ()) -> None:
    """Two folders hold the same files with the same bytes, those `apart` only by name."""
    names = {path.relative_to(one).as_posix() for path in one.rglob("*") if path.is_file()}
    assert names == {path.relative_to(other).as_posix() for path in other.rglob("*") if path.is_file()}
    for name in names - set(apart):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_each_gives_what_its_command_gives(folder: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    found = vocab("cats.txt", base=str(tiny_base), out="p-vocabulary.json")
    assert [each.category.name for each in found.inspection.categories] == WORDS
    assert Path("p-vocabulary.json").read_bytes() == Path("c-vocabulary.json").read_bytes()

    assert len(synth("cats.txt", base=str(tiny_base), out="p-synth", count=3).images) == 3
    same(Path("c-synth"), Path("p-synth"), apart=("provenance.json",))

    made = adapt("cats.txt", base=str(tiny_base), overrides=FEW, out="p-model", device="cpu")
    assert made.finished and made.steps == 2
    same(Path("c-model"), Path("p-model"), apart=("provenance.json", "README.md", "train.jsonl", "loss.png"))

    assert predict("photos", model="p-model", out="p-masks", device="cpu").done == 2
    timed = ("provenance.json", "predictions.jsonl", "index.html")
    same(Path("c-masks"), Path("p-masks"), apart=timed)
    assert np.array_equal(load_model("p-model", "cpu").predict("photos/a.png").mask(), Image.open("p-masks/a.png"))

    numbers = evaluate(
        images="photos", labels="labels", classes="cats.txt", model="p-model", out="p-evaluation", device="cpu"
    ).report.numbers()
    report = json.loads(Path("c-evaluation/report.json").read_text())
    assert {name: pytest.approx(value, nan_ok=True) for name, value in report["numbers"].items()} == numbers


def test_names_serve_as_categories(tiny_base: Path, tmp_path: Path) -> None:
    assert adapt(WORDS, base=str(tiny_base), overrides=FEW, out=tmp_path / "m").folder == tmp_path / "m"
    assert load_model(tmp_path / "m").vocabulary.names == tuple(WORDS)
    with pytest.raises(OutputError, match="exists already"):
        adapt(WORDS, base=str(tiny_base), overrides=FEW, out=tmp_path / "m")


def test_the_public_face_is_one_list() -> None:
    assert set(ifseg_cli.__all__) == {"__version__", "adapt", "evaluate", "load_model", "predict", "synth", "vocab"}
    for name in ifseg_cli.__all__:
        assert getattr(ifseg_cli, name), name
    with pytest.raises(AttributeError, match="no attribute 'segment'"):
        _ = ifseg_cli.segment


def test_readmes_lines_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block of README, word for word, on two examples, with a run of two steps."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"From Python.*?\n\n((?:    .*\n|\n)+)", readme)
    assert block
    code = re.sub(r"^    ", "", block[1], flags=re.MULTILINE)
    assert "from ifseg_cli import" in code
    (tmp_path / "photos").mkdir()
    for name in ("hills.jpg", "dogs.jpg"):
        shutil.copy(ROOT / "examples" / "photos" / name, tmp_path / "photos")
    shutil.copy(ROOT / "examples" / "photos" / "dogs.jpg", tmp_path / "photo.jpg")
    shutil.copy(ROOT / "examples" / "categories.txt", tmp_path / "cats.txt")
    monkeypatch.chdir(tmp_path)
    quick = code.replace('adapt("cats.txt")', f'adapt("cats.txt", overrides={FEW!r})')
    assert quick != code
    exec(compile(quick, "README.md", "exec"), {})
    assert (tmp_path / "mask.png").is_file() and (tmp_path / "masks" / "index.html").is_file()
