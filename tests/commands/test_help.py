"""The door: help comes at once, says how to begin, and a slip in the command line costs one line."""

from __future__ import annotations

import re
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from command import ifseg, one_line_error

COMMANDS = ("vocab", "synth", "adapt", "predict", "evaluate")
HEAVY = ("torch", "transformers", "pydantic", "numpy", "PIL", "matplotlib", "tokenizers", "jinja2")


def seconds(*words: str) -> float:
    """Processor time of a run: what a user waits on an idle machine, and steady beside other tests."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ifseg(*words).returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_comes_in_half_a_second() -> None:
    assert statistics.median(seconds("--help") for _ in range(3)) < 0.5


def imported(*words: str) -> set[str]:
    """Which of the heavy packages a run of the command line has imported when it ends."""
    code = (
        "import sys\nsys.argv = ['ifseg', *sys.argv[1:]]\nfrom ifseg_cli.__main__ import main\n"
        f"try:\n    main()\nfinally:\n    print('IMPORTED', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 2), done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("words", [["--help"], ["--version"], []], ids=str)
def test_nothing_heavy_is_imported_at_the_door(words: list[str]) -> None:
    assert imported(*words) == set()


@pytest.mark.parametrize("words", [["--help"], ["--no-such-option"]], ids=str)
@pytest.mark.parametrize("name", COMMANDS)
def test_only_what_reads_options_is_imported_by_a_commands_help(name: str, words: list[str]) -> None:
    assert imported(name, *words) <= {"pydantic"}, "typer itself reads options with pydantic"


def test_help_names_the_five_commands_with_a_word_on_each() -> None:
    text = ifseg("--help").stdout
    for name in COMMANDS:
        assert re.search(rf"^\W*{name} +\w+ \w+", text, flags=re.MULTILINE), name
    assert "To come" not in text


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_an_example_and_explains_every_option(name: str) -> None:
    text = ifseg(name, "--help").stdout
    assert re.search(rf"^\W*(Examples?:)?\s*ifseg {name} \S+", text, flags=re.MULTILINE | re.IGNORECASE), "no example"
    for option in re.findall(r"^\W*(--[\w-]+)(.*)$", text, flags=re.MULTILINE):
        assert re.search(r"[a-z]{3,}", option[1].partition("<")[0] + option[1].partition(">")[2]), (
            f"no help: {option[0]}"
        )


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_80_columns_without_colour(name: str) -> None:
    text = ifseg(*([name] if name else []), "--help", COLUMNS="80").stdout
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_version() -> None:
    from ifseg_cli import __version__

    assert ifseg("--version").stdout == f"ifseg {__version__}\n"


def test_without_words_it_helps_and_says_that_nothing_was_done() -> None:
    done = ifseg()
    assert done.returncode == 2
    assert "vocab" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nix"], "nix"),
        (["--nix"], "--nix"),
        *(([name, "--no-such-option"], "--no-such-option") for name in COMMANDS),
        (["adapt", "--device"], "--device"),
        (["predict"], "IMAGES"),
    ],
    ids=str,
)
def test_a_slip_in_the_command_line_costs_one_line(words: list[str], message: str, tmp_path: Path) -> None:
    assert message in one_line_error(ifseg(*words, cwd=tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_mistyped_word_is_answered_with_the_right_one() -> None:
    assert "--categories" in one_line_error(ifseg("adapt", "--categoris", "x"))
    assert "vocab" in one_line_error(ifseg("vocb"))
