"""Weights from strangers, by the command: nothing runs, nothing waits, nothing fills the memory; one line, exit 2.

Each file is met in a process of its own, with 5 s and 1 GB (`serve.py`); what the files are is in `hostile_kinds.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import published_files as files
import pytest
from hostile_kinds import KINDS
from PIL import Image
from tiny import save_tiny_model

from ifseg_cli.core.adaptation.run import adapt

LONGEST = 300  # letters of the line
# Of a tokenizer.json its words and merges are taken; a program in it is left alone.
HARMLESS = ("tokenizer: a regex without end", "tokenizer: a chain of replacements")
Result = dict[str, Any]


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Path:
    """One of each layout, to copy and break."""
    made = tmp_path_factory.mktemp("whole")
    files.port_folder(made / "port")
    files.pretrained_file(made / "fairseq")
    files.training_file(made / "training")
    (made / "ours").symlink_to(tiny_base)
    save_tiny_model(made / "model")
    few = ["optimiser.steps=1", "optimiser.batch_size=1", "train=low_rank", "saving.look_every=0"]
    adapt(["cat", "dog"], base=str(tiny_base), out=made / "update", recipe="default", overrides=few, save="update")
    (made / "model" / "recipe.yaml").write_text("seed: 0\n")
    return made


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[..., Result]]:
    """`ifseg` with its imports done."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "80"}
    command = [sys.executable, str(Path(__file__).with_name("serve.py"))]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, env=environment) as process:
        assert process.stdin and process.stdout
        stdin, stdout = process.stdin, process.stdout
        stdout.readline()

        def run(words: list[str], folder: Path, **more: float) -> Result:
            stdin.write(json.dumps({"argv": words, "cwd": str(folder), **more}) + "\n")
            stdin.flush()
            return json.loads(stdout.readline())

        yield run
        stdin.close()


def test_there_are_many() -> None:
    assert len(KINDS) >= 60


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_one_line_in_time_and_memory(kind: str, top: Path, served: Callable[..., Result], tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "photo.png")
    found = served(KINDS[kind](top, tmp_path), tmp_path)
    assert not (tmp_path / "ran").exists()
    if kind in HARMLESS:
        assert found["code"] == 0, found
        return
    lines = found["stderr"].splitlines()
    assert found["code"] == 2, found
    assert found["stdout"] == ""
    assert len(lines) == 1, found["stderr"]
    assert lines[0].startswith("error: ")
    assert lines[0].isprintable()
    assert len(lines[0]) <= LONGEST, f"{len(lines[0])}: {lines[0]}"
    assert not (tmp_path / "out").exists()


def test_whole_files_are_taken(top: Path, served: Callable[..., Result], tmp_path: Path) -> None:
    """The tests above prove something: the same commands take what was not broken."""
    from hostile_kinds import adapt as adapting
    from hostile_kinds import predict

    Image.new("RGB", (40, 40)).save(tmp_path / "photo.png")
    update = predict(top / "update", "--base", str(top / "ours"))
    for words in (adapting(top / "ours"), adapting(top / "port"), predict(top / "model"), update):
        found = served([*words, "--overwrite"], tmp_path, seconds=60)  # these do their work, too
        assert found["code"] == 0, found
