"""The options that the commands share, and what they stand for."""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ifseg_cli.core.bases.folder import load_base
from ifseg_cli.core.device import pick_device
from ifseg_cli.core.errors import IfsegError, RecipeError
from ifseg_cli.core.files import sha256
from ifseg_cli.core.recipe import Recipe, load_recipe
from measuring.looks import NEIGHBOURS, key
from measuring.pictures import Task
from measuring.rows import OWN, ROWS
from measuring.units import Unit, see

ROOT = Path(__file__).resolve().parents[2]
MOST_JOBS = 8  # half a gigabyte each


def parser(description: str | None) -> argparse.ArgumentParser:
    """With the shared options."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--base", default="builtin", help="builtin, or a folder with another make of it")
    made.add_argument("--recipe", help="to adapt by, a name or a file; else the base's own")
    made.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="replace a value of each recipe")
    made.add_argument("--seeds", type=positive, help="seeds 0 .. SEEDS - 1")
    made.add_argument("--every", type=positive, default=1, metavar="N", help="every N-th picture: a quick look")
    made.add_argument(
        "--jobs", type=positive, default=min(MOST_JOBS, os.cpu_count() or 1), help="processes of one thread each"
    )
    made.add_argument("--device", default="cpu", help="cpu, cuda, mps or auto; where it is not cpu, try more --jobs")
    made.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    made.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of coco128 and camvid")
    made.add_argument(
        "--kept", type=Path, default=ROOT / ".work" / "photographs", help="where scenes, looks and results are kept"
    )
    return made


def positive(text: str) -> int:
    """A number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


@dataclass(frozen=True, eq=False)
class Setup:
    """A base, and the recipes it is adapted by."""

    base: str
    device: torch.device
    looks: Path
    results: Path
    jobs: int
    recipes: dict[str, Recipe]  # by what a row calls them; `OWN` is there always
    about: dict[str, object]  # for the JSON

    def unit(self, task: Task, rows: tuple[str, ...], recipe: str | None = None, seed: int = 0) -> Unit:
        """Rows of a task by the base as it ships, or adapted by a recipe of this setup."""
        chosen = self.recipes[recipe or OWN]
        adapted = chosen.model_copy(update={"seed": seed}) if recipe else None
        return Unit(task, rows, adapted, chosen.prediction, self.base, self.device, self.looks, self.results)

    def see(self, tasks: list[Task], say: Callable[[str], None]) -> None:
        """See every picture that is not kept yet."""
        see(self.base, self.device, tasks, self.looks, self.jobs, say)


def setup(given: argparse.Namespace, rows: list[str]) -> Setup:
    """Load and check what the options name.

    Raises:
        IfsegError: a base or a recipe is not right.
    """
    if not given.data.is_dir():
        raise IfsegError(f"no pictures at {given.data}", remedy="say where with --data")
    device, _ = pick_device(given.device)
    loaded = load_base(given.base, torch.device("cpu"))
    own = given.recipe or loaded.recipe_name
    names = {OWN: own} | {kind: kind for row in rows if (kind := ROWS[row].adapted) not in (None, OWN)}
    recipes = {kind: load_recipe(name, given.set) for kind, name in names.items()}
    for kind, recipe in recipes.items():
        if recipe.prediction.neighbours > NEIGHBOURS:
            raise RecipeError(f"recipe {names[kind]}: prediction.neighbours is above {NEIGHBOURS}")
    about: dict[str, object] = {
        "base": given.base,
        "base_sha256": loaded.weights_sha256(),
        "recipes": names,
        "set": given.set,
        "device": device.type,
        "seeds": given.seeds,
        "every": given.every,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    looks, results = given.kept / key(loaded.network), given.kept / f"results-{fingerprint(loaded.path)}"
    return Setup(given.base, device, looks, results, given.jobs, recipes, about)


def fingerprint(base: Path) -> str:
    """Of what results depend on besides names, pictures and recipes: code, torch, and a base. 16 hexadecimal digits."""
    code = [*sorted((ROOT / "ifseg_cli" / "core").rglob("*.py")), *sorted(Path(__file__).parent.glob("*.py"))]
    parts = [torch.__version__, *(sha256(path) for path in (*code, *sorted(base.iterdir())) if path.is_file())]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]


def progress() -> Callable[[str], None]:
    """A line on stderr, with the minutes since now."""
    begin = time.monotonic()

    def say(text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - begin), 60)
        print(f"  {minutes:3}:{seconds:02}  {text}", file=sys.stderr, flush=True)

    return say


def run(main: Callable[[], None]) -> None:
    """Run a command; a mistake in the input is one line."""
    try:
        main()
    except IfsegError as error:
        raise SystemExit(f"error: {error.message}") from error
