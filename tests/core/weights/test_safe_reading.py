"""Nothing in a file can run code, and a broken file costs one line."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import published_files as files
import pytest
import torch

from ifseg_cli.core.bases.folder import load_base
from ifseg_cli.core.errors import CheckpointError
from ifseg_cli.core.weights.files import read_json
from ifseg_cli.core.weights.reading import plain, read_contents
from ifseg_cli.core.weights.unpickling import STAND_INS, Inert, read_torch

CPU = torch.device("cpu")


class Runs:
    """When unpickled by an ordinary reader, calls what it is told to call."""

    def __init__(self, call: Any, *arguments: object) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        return self.call, self.arguments


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        read_contents(path)
    assert "\n" not in caught.value.message
    return caught.value.message


def hostile(marker: Path) -> dict[str, tuple[Any, str]]:
    """What a file may hold, and the name in the refusal; any that runs leaves the marker."""
    touch = f"touch {marker}"
    settings = argparse.Namespace(arch=Runs(eval, f"open({str(marker)!r}, 'w')"))
    return {
        "a command": ({"model": Runs(os.system, touch)}, "system"),
        "in the settings": ({"model": {"a": torch.ones(1)}, "cfg": {"model": settings}}, "eval"),
        "nested": ({"model": OrderedDict(a=[({"b": Runs(exec, "import os")},)])}, "exec"),
        "an import": ({"model": {"a": Runs(__import__, "antigravity")}}, "__import__"),
        "a file": ({"model": {"a": Runs(open, str(marker), "w")}}, "open"),
        "a way round": ({"model": {"a": Runs(getattr, os, "system")}}, "getattr"),
    }


@pytest.mark.parametrize("name", hostile(Path()))
@pytest.mark.parametrize("container", ["zip", "old"])
def test_hostile_files_run_nothing(tmp_path: Path, name: str, container: str) -> None:
    marker, path = tmp_path / "ran", tmp_path / "ofa.pt"
    contents, told = hostile(marker)[name]
    try:
        torch.save(contents, path, _use_new_zipfile_serialization=container == "zip")
    except TypeError:  # a module cannot be pickled; the name alone will do
        contents = {"model": {"a": Runs(getattr, "os", "system")}}
        torch.save(contents, path, _use_new_zipfile_serialization=container == "zip")
    message = refusal(path)
    assert told in message
    assert "nothing of it was run" in message
    assert not marker.exists()


def test_the_hostile_files_would_run_elsewhere(tmp_path: Path) -> None:
    """The test above proves something: an ordinary reader does what they say."""
    path = tmp_path / "ofa.pt"
    torch.save(hostile(tmp_path / "ran")["a command"][0], path)
    torch.load(path, weights_only=False)
    assert (tmp_path / "ran").exists()


def test_a_hostile_member_of_the_container(tmp_path: Path) -> None:
    """The pickle inside is replaced, and a compiled program is put beside it."""
    path, marker = tmp_path / "ofa.pt", tmp_path / "ran"
    torch.save({"model": {"a": torch.ones(4)}}, path)
    with zipfile.ZipFile(path) as container:
        members = {name: container.read(name) for name in container.namelist()}
    evil = pickle.dumps(Runs(os.system, f"touch {marker}"), protocol=2)
    for change in ({"ofa/data.pkl": evil}, {"ofa/constants.pkl": evil, "ofa/code/__torch__.py": b"import os"}):
        with zipfile.ZipFile(path, "w") as container:
            for name, data in (members | change).items():
                container.writestr(name, data)
        assert refusal(path)
        assert not marker.exists()


@pytest.mark.parametrize("protocol", [0, 1, 2, 4])
def test_a_bare_pickle_is_refused_unread(tmp_path: Path, protocol: int) -> None:
    (tmp_path / "ofa.pt").write_bytes(pickle.dumps(Runs(os.system, f"touch {tmp_path / 'ran'}"), protocol=protocol))
    assert "pickle" in refusal(tmp_path / "ofa.pt") or "no weights file" in refusal(tmp_path / "ofa.pt")
    assert not (tmp_path / "ran").exists()


def test_a_tar_is_refused(tmp_path: Path) -> None:
    import tarfile

    torch.save({"model": Runs(os.system, f"touch {tmp_path / 'ran'}")}, tmp_path / "pickle")
    with tarfile.open(tmp_path / "ofa.pt", "w") as container:
        container.add(tmp_path / "pickle", "pickle")
    assert "no weights file" in refusal(tmp_path / "ofa.pt")
    assert not (tmp_path / "ran").exists()


# ---------------------------------------------------------------------------------------------- what is let in


def stand_in(name: str) -> type:
    """A class that pickles under a name that is not its own."""
    module, _, plain_name = name.rpartition(".")
    made = type(plain_name, (), {})
    made.__module__, made.__qualname__ = module, plain_name
    return made


def pickled(path: Path, entries: dict[str, Any], monkeypatch: pytest.MonkeyPatch, *classes: type) -> Path:
    """Save with classes that pickle by name although no such module is here."""
    import sys
    import types

    for each in classes:
        module = types.ModuleType(each.__module__)
        setattr(module, each.__name__, each)
        monkeypatch.setitem(sys.modules, each.__module__, module)
        parts = each.__module__.split(".")
        for end in range(1, len(parts)):
            monkeypatch.setitem(sys.modules, ".".join(parts[:end]), types.ModuleType(".".join(parts[:end])))
    torch.save(entries, path)
    return path


@pytest.mark.parametrize("name", [name for name in STAND_INS if name.startswith(("omegaconf", "fairseq"))])
def test_classes_of_real_training_files_are_stood_in_for(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cls = stand_in(name)
    thing = cls()
    thing.__dict__.update({"_content": 3, "other": [1, 2]})
    path = pickled(tmp_path / "a.pt", {"model": {"a": torch.ones(1)}, "extra": thing}, monkeypatch, cls)
    found = read_torch(path)
    assert isinstance(found, dict)
    assert isinstance(found["extra"], Inert)
    assert not isinstance(found["extra"], cls)


def test_settings_that_omegaconf_wrapped_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, node = stand_in("omegaconf.dictconfig.DictConfig"), stand_in("omegaconf.nodes.AnyNode")
    value, inner, outer = node(), config(), config()
    value.__dict__["_val"] = "the question:"
    inner.__dict__["_content"] = {"prompt_prefix": value, "encoder_embed_dim": 8}
    outer.__dict__["_content"] = {"model": inner}
    path = pickled(tmp_path / "a.pt", {"model": {"a": torch.ones(1)}, "cfg": outer}, monkeypatch, config, node)
    assert read_contents(path).settings == {"prompt_prefix": "the question:", "encoder_embed_dim": 8}


def test_numbers_of_numpy_are_let_in(tmp_path: Path) -> None:
    import numpy as np

    torch.save({"model": {"a": torch.ones(1)}, "extra_state": {"best": np.float64(0.5)}}, tmp_path / "a.pt")
    assert list(read_contents(tmp_path / "a.pt").tensors) == ["a"]


def test_other_classes_are_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cls = stand_in("omegaconf.resolvers.Evil")
    path = pickled(tmp_path / "a.pt", {"model": {"a": torch.ones(1)}, "x": cls()}, monkeypatch, cls)
    assert "asks for omegaconf.resolvers.Evil, which is code" in refusal(path)


def test_stand_ins_are_forgotten_afterwards(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1)}, tmp_path / "a.pt")
    read_torch(tmp_path / "a.pt")
    assert argparse.Namespace not in torch.serialization.get_safe_globals()
    assert not any(isinstance(each, tuple) for each in torch.serialization.get_safe_globals())


def test_settings_nested_without_end() -> None:
    deep: dict[str, Any] = {}
    deep["again"] = deep
    assert isinstance(plain(deep), dict)


def test_the_old_format_is_read(tmp_path: Path) -> None:
    torch.save({"model": {"a": torch.ones(3)}}, tmp_path / "a.pt", _use_new_zipfile_serialization=False)
    assert torch.equal(read_contents(tmp_path / "a.pt").tensors["a"], torch.ones(3))


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_compressed_files_are_read_and_others_are_mapped(tmp_path: Path, how: int) -> None:
    plain_file, path = tmp_path / "plain.pt", tmp_path / "a.pt"
    torch.save({"model": {"a": torch.arange(100_000)}}, plain_file)
    with zipfile.ZipFile(plain_file) as source, zipfile.ZipFile(path, "w") as container:
        for name in source.namelist():
            container.writestr(name, source.read(name), how)
    for file, mapped in ((plain_file, True), (path, how == zipfile.ZIP_STORED)):
        tensor = read_contents(file).tensors["a"]
        assert torch.equal(tensor, torch.arange(100_000))
        maps = Path("/proc/self/maps")
        if maps.exists():
            assert (str(file) in maps.read_text()) == mapped


# ---------------------------------------------------------------------------------------------- broken files

BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "text": (b"hello, I am text\n" * 9, "no weights file"),
    "a web page": (b"<!DOCTYPE html><html>not found</html>", "a web page"),
    "git-lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "a pointer of git-lfs"),
    "a zip that ends at once": (b"PK\x03\x04" + bytes(50), "cut short or damaged"),
    "a header too long": ((1 << 31).to_bytes(8, "little") + b'{"a": 1}', "cannot be read as safetensors"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_files_that_are_none(tmp_path: Path, name: str) -> None:
    data, told = BROKEN[name]
    (tmp_path / "ofa.pt").write_bytes(data)
    assert told in refusal(tmp_path / "ofa.pt")


@pytest.mark.parametrize("container", ["zip", "old"])
@pytest.mark.parametrize("kept", [0.99, 0.5, 0.01])
def test_files_cut_short(tmp_path: Path, container: str, kept: float) -> None:
    path = tmp_path / "ofa.pt"
    torch.save({"model": {"a": torch.ones(9999)}}, path, _use_new_zipfile_serialization=container == "zip")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    assert "ofa.pt" in refusal(path)


@pytest.mark.parametrize("contents", [[1, 2], torch.ones(3), {}, {"model": {"a": 1}}, {1: torch.ones(1)}], ids=str)
def test_files_of_torch_that_hold_no_weights(tmp_path: Path, contents: object) -> None:
    torch.save(contents, tmp_path / "a.pt")
    assert "holds" in refusal(tmp_path / "a.pt")


def test_a_container_that_unpacks_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ifseg_cli.core.weights import unpickling

    monkeypatch.setattr(unpickling, "MAX_UNPACKED", 1000)
    torch.save({"a": torch.ones(999)}, tmp_path / "a.pt")
    assert "unpacks to" in refusal(tmp_path / "a.pt")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[" * 200_000, "nested too deep"),
        ('{"a":' * 200_000, "nested too deep"),
        ("{", "cannot be read"),
        ("3", "object"),
    ],
    ids=["lists", "objects", "cut short", "a number"],
)
def test_settings_that_are_none(tmp_path: Path, text: str, told: str) -> None:
    folder = files.port_folder(tmp_path / "port")
    (folder / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=told):
        load_base(str(folder), CPU)


def test_settings_of_absurd_size(tmp_path: Path) -> None:
    with (tmp_path / "config.json").open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(CheckpointError, match="at most 64 MB of JSON"):
        read_json(tmp_path / "config.json")


@pytest.mark.parametrize(
    "change",
    [{"dim": 10**9}, {"heads": 0}, {"heads": 3}, {"tokens": "many"}, {"encoder_layers": -1}, {"grid": 300}],
    ids=str,
)
def test_our_own_settings_of_absurd_sizes(tiny_base: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    import shutil

    folder = shutil.copytree(tiny_base, tmp_path / "base")
    settings = json.loads((folder / "config.json").read_text())
    settings["model"] |= change
    (folder / "config.json").write_text(json.dumps(settings))
    with pytest.raises(CheckpointError, match=r"config\.json"):
        load_base(str(folder), CPU)
