"""The wheel: what a user installs has all it needs, and runs without the checkout and its tools."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from ifseg_cli import __version__

ROOT = Path(__file__).parents[1]
PACKAGE, RECIPES = ROOT / "ifseg_cli", ROOT / "recipes"
MAX_MB = 36  # the built-in base may take 32


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: building in place leaves folders whose old contents get into the next one."""
    folder = tmp_path_factory.mktemp("wheel")
    source = source_copy(folder / "source")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*pip, "-w", folder, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_carries_all_that_the_package_folder_has(wheel: Path) -> None:
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    ours |= {f"ifseg_cli/recipes/{path.name}" for path in RECIPES.glob("*.yaml")}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == ours


def test_every_folder_of_the_package_is_listed() -> None:
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11")
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("__init__.py")}
    assert listed == sorted({*found, "ifseg_cli.recipes"})


@pytest.mark.parametrize("folder", ["recipes", "labels", "builtin"])
def test_data_folders_are_not_empty(folder: str, wheel: Path) -> None:
    assert any(name.startswith(f"ifseg_cli/{folder}/") for name in zipfile.ZipFile(wheel).namelist())


def test_templates_and_types_are_packed(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "ifseg_cli/py.typed" in names
    assert any(name.endswith((".html", ".j2")) for name in names)


def test_the_wheel_has_version_licences_and_a_bearable_size(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    fields = message_from_bytes(archive.read(metadata))
    assert fields["Version"] == __version__
    assert fields["License-Expression"] == "Apache-2.0"
    assert set(fields.get_all("License-File") or []) == {"LICENSE", "NOTICE"}
    assert wheel.stat().st_size < MAX_MB * 1_000_000


def test_the_changelog_opens_with_this_version() -> None:
    log = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+)", log, flags=re.MULTILINE)
    assert newest
    assert newest[1] == __version__


RECIPE_NAMES = (
    "import ifseg_cli; from ifseg_cli.core.recipe import recipe_names; print(ifseg_cli.__file__, *recipe_names())"
)
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")


def source_copy(folder: Path) -> Path:
    """The project as a stranger has it, without what was built here."""
    litter = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info", "build", "dist", "demo")
    shutil.copytree(PACKAGE, folder / "ifseg_cli", ignore=litter)
    shutil.copytree(RECIPES, folder / "recipes", ignore=litter)
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, folder)
    return folder


def recipes_found(site: Path, cwd: Path) -> list[str]:
    """The shipped recipes as a program sees them that finds ifseg in `site` alone, dependencies apart."""
    # Without -S the .pth file of this checkout's own editable install would be read first.
    purelib = sysconfig.get_path("purelib")
    code = f"import sys, site; site.addsitedir({str(site)!r}); sys.path.append({purelib!r}); {RECIPE_NAMES}"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    where, *names = done.stdout.split()
    assert Path(where).is_relative_to(cwd), "another ifseg was found"
    return names


def test_recipes_are_found_in_a_checkout_that_is_not_installed(tmp_path: Path) -> None:
    checkout = source_copy(tmp_path / "checkout")
    assert recipes_found(checkout, tmp_path) == ["default", "light", "pure", "quick"]


def test_recipes_are_found_in_a_wheel(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    assert recipes_found(tmp_path / "site", tmp_path) == ["default", "light", "pure", "quick"]


@pytest.mark.parametrize("strict", [False, True], ids=["editable", "strict editable"])
def test_recipes_are_found_by_an_editable_install(strict: bool, tmp_path: Path) -> None:
    checkout, site = source_copy(tmp_path / "checkout"), tmp_path / "site"
    mode = ["--config-settings", "editable_mode=strict"] if strict else []
    install = [
        *PIP,
        "install",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--target",
        site,
        *mode,
        "-e",
        checkout,
    ]
    done = subprocess.run([sys.executable, *install], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert recipes_found(site, tmp_path) == ["default", "light", "pure", "quick"]


def test_an_sdist_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    checkout = source_copy(tmp_path / "checkout")
    build = "from setuptools import build_meta as b; import sys; b.build_sdist(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (sdist,) = tmp_path.glob("*.tar.gz")
    make = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", tmp_path / "again", sdist]
    done = subprocess.run([sys.executable, *make], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (again,) = (tmp_path / "again").glob("*.whl")
    assert set(zipfile.ZipFile(again).namelist()) == set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.slow
def test_the_installed_wheel_runs_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel], check=True)
    # Dependencies come from here: a path in a .pth file brings the packages, not this checkout's editable install.
    (site,) = (environment / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    plain = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")} | {"NO_COLOR": "1"}

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=tmp_path, env=plain, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert str(site) in run(python, "-c", "import ifseg_cli; print(ifseg_cli.__file__)")
    ifseg = environment / "bin" / "ifseg"
    assert "vocab" in run(ifseg, "--help")
    (tmp_path / "cats.txt").write_text("cat\ndog\ngrass\n")
    shown = json.loads(run(ifseg, "vocab", "cats.txt", "--json"))
    assert all(name in json.dumps(shown) for name in ("cat", "dog", "grass"))
    run(ifseg, "synth", "cats.txt", "--out", "sheet")
    run(ifseg, "adapt", "--categories", "cats.txt", "--set", "optimiser.steps=1", "--out", "model")
    assert (tmp_path / "model" / "model.safetensors").is_file()
