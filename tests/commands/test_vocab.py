"""The installed command: what it shows, what it writes, and how it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import save_worded_base

from ifseg_cli.core.vocabulary.vocabulary import Vocabulary

DATA = Path(__file__).parents[1] / "data" / "tokenizer"


def run(*arguments: str, cwd: Path, columns: int = 80) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": str(columns), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "ifseg_cli", "vocab", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny base with whole names, random weights and a list of the words it knows."""
    return save_worded_base(tmp_path_factory.mktemp("base"))


def test_the_table_shows_what_the_model_will_read(base: Path, tmp_path: Path) -> None:
    (tmp_path / "cats.txt").write_text("# mine\n80 dogs #804080\n7 tv, dining table\n9 stone wall\n", encoding="utf-8")
    done = run("cats.txt", "--base", str(base), "--out", "vocabulary.json", cwd=tmp_path, columns=120)
    assert done.returncode == 0, done.stderr
    for text in ("80", "#804080", "dogs", "class", "▁dog", "▁television", "▁dining table", "pieces", "of at most 1024"):
        assert text in done.stdout
    assert "unknown" in done.stdout.split("prompt")[1]
    made = Vocabulary.from_json(json.loads((tmp_path / "vocabulary.json").read_text(encoding="utf-8")))
    assert made.names == ("dogs", "tv", "stone wall")
    assert made.mask_values == (80, 7, 9)
    assert made.source == "cats.txt"


def test_json_stands_alone_on_stdout(base: Path, tmp_path: Path) -> None:
    options = ["--category", "dog", "--category", "cat", "--json"]
    done = run(*options, "--base", str(base), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [entry["name"] for entry in told["categories"]] == ["dog", "cat"]
    assert told["categories"][0]["nearest"][0]["name"] == "cat"
    assert told["prompt"]["length"] == len(told["prompt"]["ids"]) <= told["prompt"]["limit"] == 1024
    assert [finding["kind"] for finding in told["findings"]] == ["background"]
    assert done.stderr.startswith("warning: objects only")


def test_unknown_names_are_an_error_and_all_findings_are_told(base: Path, tmp_path: Path) -> None:
    arguments = ["--category", "hors", "--category", "dog", "--category", "dogs", "--base", str(base)]
    done = run(*arguments, "--out", "v.json", cwd=tmp_path, columns=100)
    assert done.returncode == 2
    assert not (tmp_path / "v.json").exists()
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert "'hors' (nearest: horse" in done.stderr and "--allow-unknown" in done.stderr
    assert "'dog' and 'dogs' are the same word to this base; 'dog', the first, gets all their pixels" in done.stderr
    strict = run(
        "--category", "sky", "--category", "dog", "--category", "dogs", "--base", str(base), "--strict", cwd=tmp_path
    )
    assert strict.returncode == 2 and "error: 'dog' and 'dogs' are the same word" in strict.stderr
    assert "▁dog" in done.stdout, "the table is shown all the same"


def test_allow_unknown_makes_it_a_warning(base: Path, tmp_path: Path) -> None:
    arguments = ["--category", "hors", "--category", "sky", "--base", str(base), "--allow-unknown"]
    done = run(*arguments, "--out", "v.json", cwd=tmp_path)
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert done.stderr.startswith("warning: the base does not know 1 of the names: 'hors'")
    assert (tmp_path / "v.json").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "names no category"),
        (b"caf\xe9\n", "line 1: byte 0xe9 is not UTF-8"),
        (b"cat\nroad #12345\n", "line 2: '#12345' is no colour"),
        (b"1 cat\ndog\n", "line 2: 'dog' has no raw id"),
        (b"1 cat\n1 dog\n", "line 2: 'dog' has raw id 1"),
        (b"1 cat\n255 dog\n", "line 2: 'dog' has raw id 255"),
        (b"1 cat\n65535 dog\n", "line 2: raw id 65535"),
        (b"tv,,cat\n", "line 1: a name is missing"),
        (b"x" * 200, "line 1: a name of 200 characters"),
        (b"c\x00t\n", "line 1: control character"),
    ],
)
def test_a_faulty_file_is_refused_in_one_line_before_any_work(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "cats.txt").write_bytes(content)
    done = run("cats.txt", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: cats.txt") and message in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no categories"),
        (["nothing.txt"], "no file and no shipped list 'nothing.txt'"),
        (["."], "is a folder"),
        (["voc", "--category", "cat"], "both 'voc' and --category"),
        (["voc", "--out", "taken.json"], "taken.json exists already"),
        (["voc", "--base", "no-such-base"], "no-such-base"),
    ],
)
def test_a_wrong_call_is_refused_in_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "taken.json").write_text("{}", encoding="utf-8")
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: ") and message in done.stderr
    assert (tmp_path / "taken.json").read_text(encoding="utf-8") == "{}"


def test_the_list_names_every_shipped_list(tmp_path: Path) -> None:
    done = run("--list", cwd=tmp_path)
    assert done.returncode == 0
    assert "coco-unseen-ifseg" in done.stdout and "171" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    told = json.loads(run("--list", "--json", cwd=tmp_path).stdout)
    assert {entry["name"]: entry["categories"] for entry in told["lists"]}["ade20k"] == 150
    assert all(entry["licence"] for entry in told["lists"])


def test_a_mistake_is_told_without_importing_torch(tmp_path: Path) -> None:
    script = (
        "import sys; sys.argv = ['ifseg', 'vocab', 'nothing.txt']\n"
        "from ifseg_cli.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "2 False"
