"""Writing so that nothing is lost: a file is whole under its name, or not there."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifseg_cli.core.errors import OutputError
from ifseg_cli.core.files import atomic, require_new, sha256, write_atomic, write_json, write_text


def listing(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_nothing_is_seen_under_the_name_until_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "mask.png"
    with atomic(path) as file:
        file.write(b"half")
        file.flush()
        assert not path.exists()
        file.write(b", whole")
    assert path.read_bytes() == b"half, whole"
    assert listing(path.parent) == ["mask.png"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_no_litter(failure: type[BaseException], tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(failure), atomic(path, "w") as file:
        file.write("new")
        raise failure
    assert path.read_text() == "old"
    assert listing(tmp_path) == ["a.txt"]


def test_a_failed_writer_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_text("old")

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_atomic(path, fail)
    assert path.read_text() == "old"
    assert listing(tmp_path) == ["a.safetensors"]


def test_a_writer_is_given_the_suffix_it_goes_by(tmp_path: Path) -> None:
    seen: list[str] = []

    def write(temporary: Path) -> None:
        seen.append(temporary.suffix)
        temporary.write_text("x")

    write_atomic(tmp_path / "curve.png", write)
    assert seen == [".png"]
    assert listing(tmp_path) == ["curve.png"]


def test_results_are_ordinary_files(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_text(tmp_path / "atomic", "")
    assert stat.S_IMODE((tmp_path / "atomic").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


@pytest.mark.parametrize("name", ["with space", "häuser-木", "n" * 240, "-rf", "new\nline"])
def test_odd_names_are_written(name: str, tmp_path: Path) -> None:
    write_text(tmp_path / name, "x")
    assert listing(tmp_path) == [name]


def test_a_place_that_cannot_be_written_is_the_users_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write .*mask.png.*choose another --out"):
        write_text(tmp_path / "file" / "mask.png", "x")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(value=json_values)
@settings(deadline=None, max_examples=40)
def test_json_comes_back_equal(value: object, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("json") / "value.json"
    write_json(path, value)
    assert json.loads(path.read_text(encoding="utf-8")) == value


def test_json_is_readable(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"z": "Bäume", "a": 1})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "z": "Bäume",\n  "a": 1\n}\n'


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_sha256_over_the_edge_of_a_block(size: int, tmp_path: Path) -> None:
    content = b"x" * size
    (tmp_path / "a").write_bytes(content)
    assert sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_what_exists_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("")
    (tmp_path / "empty").mkdir()
    for free in (tmp_path / "empty", tmp_path / "new"):
        require_new(free, overwrite=False)
    for taken in (tmp_path / "full", tmp_path / "full" / "a"):
        require_new(taken, overwrite=True)
        with pytest.raises(OutputError, match="exists already; choose another --out, or say --overwrite"):
            require_new(taken, overwrite=False)
