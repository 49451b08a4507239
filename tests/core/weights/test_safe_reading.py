"""Nothing in a file can run code, and a broken file costs one line."""

from __future__ import annotations

import argparse
import functools
import json
import os
import pickle
import resource
import shutil
import signal
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import published_files as files
import pytest
import torch
from safetensors.torch import load_file, save_file

from ifseg_cli.core.bases.folder import load_base
from ifseg_cli.core.bases.ofa.keymap import TIED
from ifseg_cli.core.errors import CheckpointError, IfsegError
from ifseg_cli.core.weights.files import read_json
from ifseg_cli.core.weights.reading import flat, read_contents
from ifseg_cli.core.weights.unpickling import STAND_INS, Inert, read_torch

CPU = torch.device("cpu")


class Runs:
    """When unpickled by an ordinary reader, calls what it is told to call."""

    def __init__(self, call: Any, *arguments: object) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        return self.call, self.arguments


def within(seconds: int, gigabytes: float) -> Any:
    """A test that must end in so much time; memory beyond the limit is an error in its own process."""

    def decorate(test: Any) -> Any:
        @functools.wraps(test)
        def limited(*arguments: Any, **named: Any) -> Any:
            def late(*_: object) -> None:
                raise AssertionError(f"took more than {seconds} s")

            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            before = resource.getrlimit(resource.RLIMIT_AS)
            earlier = signal.signal(signal.SIGALRM, late)
            resource.setrlimit(resource.RLIMIT_AS, (used + int(gigabytes * (1 << 30)), before[1]))
            signal.alarm(seconds)
            try:
                return test(*arguments, **named)
            finally:
                signal.alarm(0)
                signal.signal(signal.SIGALRM, earlier)
                resource.setrlimit(resource.RLIMIT_AS, before)

        return limited

    return decorate


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
    deep: dict[str, Any] = {"d_model": 8, "list": [1]}
    deep["again"] = deep
    assert flat(deep) == {"d_model": 8}


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
    "a header too long": ((1 << 31).to_bytes(8, "little") + b'{"a": 1}', "has a header of 2,147,483,648 bytes"),
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


@within(seconds=5, gigabytes=1.0)
def test_a_container_that_unpacks_without_end(tmp_path: Path) -> None:
    """Ten gigabytes of nothing in twelve megabytes: refused from the list of its members."""
    path = tmp_path / "a.pt"
    torch.save({"model": {"a": torch.ones(3)}}, path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as container, container.open("a/data/9", "w") as member:
        for _ in range(256):
            member.write(bytes(1 << 20))
    assert "times its size; expected at most 16 times" in refusal(path)


class Allocates:
    """When read, asks for memory by a number: torch's reader lets `bytearray` through."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return bytearray, (self.size,)


@within(seconds=5, gigabytes=1.0)
@pytest.mark.parametrize(("container", "protocol"), [("zip", 2), ("zip", 4), ("old", 2)])
def test_a_pickle_that_asks_for_memory(tmp_path: Path, container: str, protocol: int) -> None:
    zipped = container == "zip"
    contents = {"model": {"a": torch.ones(1)}, "x": Allocates(8 << 30)}
    torch.save(contents, tmp_path / "a.pt", pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    message = refusal(tmp_path / "a.pt")
    assert "asks for" in message and "bytearray" in message and "nothing of it was run" in message


@within(seconds=5, gigabytes=1.0)
def test_settings_that_share_one_list_everywhere(tmp_path: Path) -> None:
    """Ten levels of a hundred references each: a hundred million million places, in a few kilobytes."""
    shared: Any = [0] * 100
    for _ in range(10):
        shared = [shared] * 100
    settings = argparse.Namespace(arch="ofa_tiny", d_model=8, deep=shared)
    torch.save({"model": {"a": torch.ones(1)}, "args": settings, "cfg": {"model": settings}}, tmp_path / "a.pt")
    assert read_contents(tmp_path / "a.pt").settings == {"arch": "ofa_tiny", "d_model": 8}


NO_FILES = ("pipe", "device", "folder")


def put(path: Path, kind: str) -> None:
    """Something in the place of a file that is none."""
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()


@within(seconds=5, gigabytes=1.0)
@pytest.mark.parametrize("kind", NO_FILES)
@pytest.mark.parametrize("name", ["config.json", "pytorch_model.bin", "vocab.json", "merges.txt"])
def test_what_is_no_file_never_waits_in_a_published_folder(tmp_path: Path, name: str, kind: str) -> None:
    folder = files.port_folder(tmp_path / "port")
    put(folder / name, kind)
    with pytest.raises(IfsegError) as caught:
        load_base(str(folder), CPU)
    assert "\n" not in caught.value.message and len(caught.value.message) < 400


@within(seconds=5, gigabytes=1.0)
@pytest.mark.parametrize("kind", NO_FILES)
@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_what_is_no_file_never_waits_in_our_folder(tiny_base: Path, tmp_path: Path, name: str, kind: str) -> None:
    folder = shutil.copytree(tiny_base, tmp_path / "ours")
    put(folder / name, kind)
    with pytest.raises(IfsegError):
        load_base(str(folder), CPU)


@within(seconds=5, gigabytes=1.0)
def test_text_of_60_megabytes_is_not_parsed(tmp_path: Path) -> None:
    folder = files.port_folder(tmp_path / "port")
    (folder / "config.json").write_text('{"a": "' + "x" * (60 << 20) + '"}')
    with pytest.raises(CheckpointError, match="it has 60 MB, at most 1 MB are expected"):
        load_base(str(folder), CPU)


@pytest.mark.parametrize("kept", TIED)
def test_any_one_of_the_tied_names_serves(tmp_path: Path, kept: str) -> None:
    """Savers that write a shared tensor once keep whichever name comes first."""
    folder = files.port_folder(tmp_path / "port")
    entries = torch.load(folder / "pytorch_model.bin", weights_only=True)
    whole = load_base(str(folder), CPU).network.embedding
    embedding = entries["encoder.embed_tokens.weight"]
    for name in TIED:
        entries.pop(name, None)
    save_file(
        {name: each.contiguous().clone() for name, each in entries.items()} | {kept: embedding},
        folder / "model.safetensors",
    )
    assert torch.equal(load_base(str(folder), CPU).network.embedding, whole)


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
        file.truncate((1 << 20) + 1)
    with pytest.raises(CheckpointError, match="at most 1 MB are expected"):
        read_json(tmp_path / "config.json")


@pytest.mark.parametrize(
    "change",
    [
        {"dim": 10**9},
        {"heads": 0},
        {"heads": 3},
        {"tokens": "many"},
        {"tokens": 10**400},
        {"encoder_layers": -1},
        {"grid": 300},
        {"scale_factor": 0},
        {"scale_factor": "x"},
        {"scale_factor": 1e999},
        {"image_mean": [0.5, 0.5]},
        {"image_mean": "grey"},
        {"image_std": [0.5, 0.5, 0.0]},
        {"prompt": 7},
        {"prompt": "x" * 100_000},
        {"residual": "yes"},
        {"picture": 1.5},
        {"backbone": {"kind": "vit", "blocks": [1, 1, 1]}},
        {"backbone": {"kind": 3}},
        {"backbone": {"blocks": [1, 1, 1], "width": -8}},
        {"backbone": {"blocks": 4}},
        {"backbone": {"blocks": [1, 1, 1], "anchors": -1}},
        {"backbone": {"blocks": [1, 1, 1], "captions": 1000}},
    ],
    ids=lambda change: str(change)[:60],
)
def test_our_own_settings_of_absurd_sizes(tiny_base: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    import shutil

    folder = shutil.copytree(tiny_base, tmp_path / "base")
    settings = json.loads((folder / "config.json").read_text())
    settings["model"] |= change
    (folder / "config.json").write_text(json.dumps(settings))
    with pytest.raises(CheckpointError, match=r"config\.json") as caught:
        load_base(str(folder), CPU)
    assert len(caught.value.message) < 400


@pytest.mark.parametrize("number", [2, "1", None, 1.5])
def test_our_own_settings_of_another_format(tiny_base: Path, tmp_path: Path, number: object) -> None:
    folder = shutil.copytree(tiny_base, tmp_path / "base")
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(settings | {"format": number}))
    with pytest.raises(CheckpointError, match=r"of format .*; expected format 1; update ifseg"):
        load_base(str(folder), CPU)


@pytest.mark.parametrize("times", [1e18, float("nan"), 0.0])
def test_our_own_weights_that_make_no_sense(tiny_base: Path, tmp_path: Path, times: float) -> None:
    folder = shutil.copytree(tiny_base, tmp_path / "base")
    tensors = load_file(folder / "model.safetensors")
    tensors["encoder.layers.0.fc2.weight"] = tensors["encoder.layers.0.fc2.weight"].float() * times
    tensors["decoder.layer_norm.weight"] = tensors["decoder.layer_norm.weight"].float() * times
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"gives values up to|gives the same answer|are no numbers"):
        load_base(str(folder), CPU)
