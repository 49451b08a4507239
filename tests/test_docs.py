"""What the documentation shows is true: category files load, commands parse, README's commands run."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from command import ifseg
from PIL import Image

from ifseg_cli.app import app
from ifseg_cli.core.vocabulary.files import parse_categories

ROOT = Path(__file__).parents[1]
BESIDE = ("README.md", "ifseg_cli/builtin/README.md", "examples/README.md")
PAGES = [*(ROOT / name for name in BESIDE), *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = ("vocab", "synth", "adapt", "predict", "evaluate")
FEW = ("--set", "optimiser.steps=2", "--set", "optimiser.batch_size=1")


def lines(page: Path) -> Iterator[str]:
    """Lines of indented and fenced blocks, and of back-quoted commands."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL):
        yield from block.splitlines()
    yield from (line[4:] for line in text.splitlines() if line.startswith("    "))
    named = re.findall(r"`(ifseg [^`\n]*)`", text)
    yield from (line for line in named if not re.search(r" --[\w-]+$", line))  # that names an option, and shows no use


def commands(page: Path) -> list[list[str]]:
    """Every whole `ifseg ...` command of a page, as words, without remarks; `...` is for the reader to fill in."""
    found: list[list[str]] = []
    for line in lines(page):
        line = line.split("$ ")[-1].strip()
        if not line.startswith("ifseg ") or line.endswith("\\"):
            continue
        words = shlex.split(line, comments=True)
        if len(words) > 1 and words[1] in COMMANDS and "..." not in words:
            found.append(words[1:])
    return found


EVERY = [(page, words) for page in PAGES for words in commands(page)]


def test_pages_have_commands() -> None:
    assert len(EVERY) > 25


@pytest.mark.parametrize(("page", "words"), EVERY, ids=lambda given: str(given)[:60])
def test_a_command_that_is_shown_can_be_typed(page: Path, words: list[str]) -> None:
    """Its options exist and have values of the right kind."""
    group = typer.main.get_command(app)
    command = group.commands[words[0]]  # type: ignore[attr-defined]
    if words[1:] in ([], ["--help"]):
        return
    command.make_context(words[0], list(words[1:]))


def test_the_category_file_of_readme_loads() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"## Category files\n\n((?:    .*\n)+)", readme)
    assert block
    found = parse_categories(re.sub(r"^    ", "", block[1], flags=re.MULTILINE), "README.md")
    assert [category.names for category in found] == [("road",), ("tv", "television"), ("sidewalk",), ("background",)]
    assert found[2].colour == (244, 35, 232)


def test_readmes_commands_run(tmp_path: Path) -> None:
    """All of them in order, where a reader would be: a folder with cats.txt, photos and this project's examples."""
    (tmp_path / "photos").mkdir()
    shutil.copy(ROOT / "examples" / "photos" / "hills.jpg", tmp_path / "photos")
    few = shutil.ignore_patterns("[b-g]*.jpg", "[i-z]*.jpg", "*.json")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=few)
    for path in (tmp_path / "examples" / "labels").iterdir():
        if not (tmp_path / "examples" / "photos" / f"{path.stem}.jpg").exists():
            path.unlink()
    for path in (tmp_path / "examples" / "photos").glob("*.png"):
        path.unlink()
    (tmp_path / "cats.txt").write_text("sky\ngrass\ntree\nbackground\n")
    shown = [words for words in commands(ROOT / "README.md") if len(words) > 1 and words != ["vocab", "--list"]]
    assert {words[0] for words in shown} == set(COMMANDS)
    shutil.copy(ROOT / "examples" / "photos" / "hills.jpg", tmp_path / "photo.jpg")
    for words in shown:
        if "<" in words:
            piped(words, tmp_path)
            continue
        more = {"adapt": FEW, "vocab": ()}.get(words[0], ())
        more += ("--count", "1") if words[:3] == ["evaluate", "--dataset", "scenes"] else ()
        more += ("--overwrite",) if words[0] != "vocab" else ()
        done = ifseg(*words, *more, cwd=tmp_path)
        assert done.returncode == 0, (words, done.stderr)


def piped(words: list[str], folder: Path) -> None:
    """Run `WORDS < FILE > FILE` as a shell would."""
    given, made = folder / words[words.index("<") + 1], folder / words[words.index(">") + 1]
    with given.open("rb") as source, made.open("wb") as target:
        command = [sys.executable, "-m", "ifseg_cli", *words[: words.index("<")]]
        done = subprocess.run(command, stdin=source, stdout=target, stderr=subprocess.PIPE, cwd=folder, check=False)
    assert done.returncode == 0, (words, done.stderr)
    with Image.open(made) as mask, Image.open(given) as picture:
        assert mask.size == picture.size
