"""Hostile and unlucky files: kind -> a function that makes one in an empty folder and says how `ifseg` meets it.

Every file is made here from small ones in the published layouts and in our own. `top` holds those, not to be changed:

    port/       OFA's Hugging Face layout        fairseq/ofa.pt             a pre-trained OFA
    ours/       a base of ours                   training/checkpoint_best.pt   the published program's own
    model/      a model of ours                  update/                    a model as an update of ours
"""

from __future__ import annotations

import argparse
import io
import json
import os
import pickle
import shutil
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

Make = Callable[[Path, Path], list[str]]
KINDS: dict[str, Make] = {}
ESCAPES = "\x1b[2J\x1b[31mred\x07"


def adapt(base: object) -> list[str]:
    """A command that reads a base."""
    few = ["--set", "optimiser.steps=1", "--set", "optimiser.batch_size=1"]
    return ["adapt", "--category", "cat", "--category", "dog", "--base", str(base), "--offline", "--out", "out", *few]


def predict(model: object, *more: str) -> list[str]:
    """A command that reads a model."""
    return ["predict", "photo.png", "--model", str(model), "--out", "out", *more]


def kind(name: str) -> Callable[[Make], Make]:
    def note(make: Make) -> Make:
        assert name not in KINDS, name
        KINDS[name] = make
        return make

    return note


class Runs:
    """When unpickled by an ordinary reader, calls what it is told to call."""

    def __init__(self, call: Any, *arguments: object) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        return self.call, self.arguments


# ---------------------------------------------------------------- pickles that run something, or ask for memory

COMMANDS: dict[str, Any] = {
    "a command": {"model": Runs(os.system, "touch ran")},
    "a command in the settings": {
        "model": {"a": torch.ones(1)},
        "cfg": {"model": argparse.Namespace(arch=Runs(eval, "open('ran', 'w')"))},
    },
    "a command deep inside": {"model": OrderedDict(a=[({"b": Runs(exec, "open('ran', 'w')")},)])},
    "an import": {"model": {"a": Runs(__import__, "antigravity")}},
    "a file to write": {"model": {"a": Runs(open, "ran", "w")}},
    "a way round": {"model": {"a": Runs(getattr, "os", "system")}},
    "eight gigabytes": {"model": {"a": torch.ones(1)}, "x": Runs(bytearray, 8 << 30)},
    "eight gigabytes of a list": {"model": {"a": torch.ones(1)}, "x": Runs(range, 8 << 30)},
}
for _name, _contents in COMMANDS.items():
    for _zipped in (True, False):

        def _make(top: Path, folder: Path, contents: Any = _contents, zipped: bool = _zipped) -> list[str]:
            torch.save(contents, folder / "ofa.pt", _use_new_zipfile_serialization=zipped)
            return adapt("ofa.pt")

        kind(f"pickle: {_name}, {'zip' if _zipped else 'old'}")(_make)


@kind("pickle: bare")
def _(top: Path, folder: Path) -> list[str]:
    (folder / "ofa.pt").write_bytes(pickle.dumps(Runs(os.system, "touch ran")))
    return adapt("ofa.pt")


@kind("pickle: as a model's checkpoint")
def _(top: Path, folder: Path) -> list[str]:
    torch.save({"model": Runs(os.system, "touch ran")}, folder / "checkpoint_best.pt")
    return predict("checkpoint_best.pt")


@kind("pickle: references shared ten levels deep")
def _(top: Path, folder: Path) -> list[str]:
    shared: Any = [0] * 100
    for _ in range(10):
        shared = [shared] * 100
    settings = argparse.Namespace(arch="ofa_tiny", d_model=8, deep=shared)
    torch.save({"model": {"a": torch.ones(1)}, "cfg": {"model": settings}}, folder / "a.pt")
    return adapt("a.pt")


@kind("zip: a member replaced")
def _(top: Path, folder: Path) -> list[str]:
    torch.save({"model": {"a": torch.ones(4)}}, folder / "ofa.pt")
    with zipfile.ZipFile(folder / "ofa.pt") as container:
        members = {name: container.read(name) for name in container.namelist()}
    members["ofa/data.pkl"] = pickle.dumps(Runs(os.system, "touch ran"), protocol=2)
    with zipfile.ZipFile(folder / "ofa.pt", "w") as container:
        for name, data in members.items():
            container.writestr(name, data)
    return adapt("ofa.pt")


@kind("zip: a compiled program")
def _(top: Path, folder: Path) -> list[str]:
    script = torch.jit.script(torch.nn.Linear(2, 2))
    script.save(str(folder / "ofa.pt"))
    return adapt("ofa.pt")


@kind("zip: unpacks without end")
def _(top: Path, folder: Path) -> list[str]:
    torch.save({"model": {"a": torch.ones(3)}}, folder / "a.pt")
    with (
        zipfile.ZipFile(folder / "a.pt", "a", zipfile.ZIP_DEFLATED) as container,
        container.open("a/data/9", "w") as member,
    ):
        for _ in range(160):
            member.write(bytes(1 << 20))
    return adapt("a.pt")


@kind("a tar")
def _(top: Path, folder: Path) -> list[str]:
    with tarfile.open(folder / "ofa.pt", "w") as tar:
        tar.addfile(tarfile.TarInfo("../../evil"), io.BytesIO())
    return adapt("ofa.pt")


# ---------------------------------------------------------------- files that are none

BYTES: dict[str, bytes] = {
    "empty": b"",
    "text": b"hello, I am text\n" * 9,
    "a web page": b"<!DOCTYPE html><html>not found</html>",
    "a pointer of git-lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "a zip that ends at once": b"PK\x03\x04" + bytes(50),
    "a header of two gigabytes": (1 << 31).to_bytes(8, "little") + b'{"a": 1}',
    "a header of 60 megabytes": (60 << 20).to_bytes(8, "little") + b'{"a": "' + b"x" * (60 << 20),
    "a header that is no JSON": (8).to_bytes(8, "little") + b"{{{{{{{{",
    "a header that points outside": (70).to_bytes(8, "little")
    + b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,99999999999999]}}   ',
    "zeros": bytes(100_000),
}
for _name, _data in BYTES.items():

    def _make(top: Path, folder: Path, data: bytes = _data) -> list[str]:
        (folder / "ofa.pt").write_bytes(data)
        return adapt("ofa.pt")

    kind(f"bytes: {_name}")(_make)

for _part in (0.99, 0.5, 0.01):

    def _make(top: Path, folder: Path, part: float = _part) -> list[str]:
        whole = (top / "fairseq" / "ofa.pt").read_bytes()
        (folder / "ofa.pt").write_bytes(whole[: int(len(whole) * part)])
        return adapt("ofa.pt")

    kind(f"bytes: {_part:.0%} of a file")(_make)

for _name, _held in {
    "a list": [1, 2],
    "a tensor": torch.ones(3),
    "nothing": {},
    "numbers for tensors": {"model": {"a": 1}},
    "numbers for names": {1: torch.ones(1)},
    "names that clear the screen": {"model": {ESCAPES * 20: torch.ones(1)}},
    "names of a megabyte": {"model": {"x" * (1 << 20): torch.ones(1)}},
}.items():

    def _make(top: Path, folder: Path, held: Any = _held) -> list[str]:
        torch.save(held, folder / "ofa.pt")
        return adapt("ofa.pt")

    kind(f"holds {_name}")(_make)


# ---------------------------------------------------------------- what is no file


def put(path: Path, what: str) -> None:
    path.unlink(missing_ok=True)
    if what == "a pipe":
        os.mkfifo(path)
    elif what == "a device":
        path.symlink_to("/dev/zero")
    elif what == "a link to itself":
        path.symlink_to(path.name)
    else:
        path.mkdir()


for _what in ("a pipe", "a device", "a folder", "a link to itself"):
    for _whose, _file in (
        ("port", "config.json"),
        ("port", "pytorch_model.bin"),
        ("port", "vocab.json"),
        ("port", "merges.txt"),
        ("ours", "config.json"),
        ("ours", "model.safetensors"),
        ("ours", "tokenizer.json"),
        ("model", "vocabulary.json"),
        ("model", "recipe.yaml"),
    ):

        def _make(top: Path, folder: Path, what: str = _what, whose: str = _whose, file: str = _file) -> list[str]:
            shutil.copytree(top / whose, folder / "x")
            put(folder / "x" / file, what)
            return predict("x") if whose == "model" else adapt("x")

        kind(f"{_what} for {_file} of {_whose}")(_make)

    def _make(top: Path, folder: Path, what: str = _what) -> list[str]:
        put(folder / "ofa.pt", what)
        return adapt("ofa.pt")

    kind(f"{_what} for the weights")(_make)


# ---------------------------------------------------------------- settings

for _name, _text in {
    "60 megabytes": '{"a": "' + "x" * (60 << 20) + '"}',
    "lists nested": "[" * 200_000,
    "objects nested": '{"a":' * 200_000,
    "cut short": "{",
    "a number": "3",
    "400 digits": '{"model_type": "ofa", "d_model": 1' + "0" * 400 + "}",
    "colours": json.dumps({"model_type": "ofa", "d_model": ESCAPES}),
    "another model": '{"model_type": "bert", "d_model": 8}',
    "another activation": '{"model_type": "ofa", "d_model": 8, "activation_function": "relu"}',
    "scaled embeddings": '{"model_type": "ofa", "d_model": 8, "scale_embedding": true}',
}.items():

    def _make(top: Path, folder: Path, text: str = _text) -> list[str]:
        shutil.copytree(top / "port", folder / "x")
        (folder / "x" / "config.json").write_text(text)
        return adapt("x")

    kind(f"settings: {_name}")(_make)

for _change in (
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
    {"image_std": [0.5, 0.5, 0.0]},
    {"prompt": 7},
    {"prompt": "x" * 100_000},
    {"residual": "yes"},
    {"backbone": {"kind": "vit", "blocks": [1, 1, 1]}},
    {"backbone": {"blocks": [1, 1, 1], "width": -8}},
):

    def _make(top: Path, folder: Path, change: dict[str, Any] = _change) -> list[str]:
        settings = copied(top / "ours", folder)
        write(folder, "config.json", settings | {"model": settings["model"] | change})
        return adapt("x")

    kind(f"our settings: {str(_change)[:50]}")(_make)

for _change in (
    {"format": 2},
    {"format": None},
    {"recipe": "../../../../etc/shadow"},
    {"recipe": "/etc/passwd"},
    {"recipe": ["quick"]},
    {"model": {"dims": 3}},
    {"model": None},
):

    def _make(top: Path, folder: Path, change: dict[str, Any] = _change) -> list[str]:
        write(folder, "config.json", copied(top / "ours", folder) | change)
        return adapt("x")

    kind(f"our settings: {str(_change)[:50]}")(_make)


def copied(whole: Path, folder: Path) -> dict[str, Any]:
    """A copy named `x` to break, and its settings."""
    shutil.copytree(whole, folder / "x")
    return json.loads((folder / "x" / "config.json").read_text())


def write(folder: Path, name: str, value: object) -> None:
    (folder / "x" / name).write_text(value if isinstance(value, str) else json.dumps(value))


# ---------------------------------------------------------------- tensors

for _name, _times in (("huge", 1e18), ("no numbers", float("nan")), ("nothing", 0.0)):

    def _make(top: Path, folder: Path, times: float = _times) -> list[str]:
        copied(top / "ours", folder)
        tensors = load_file(folder / "x" / "model.safetensors")
        for name in ("encoder.layers.0.fc2.weight", "decoder.layer_norm.weight"):
            tensors[name] = tensors[name].float() * times
        save_file(tensors, folder / "x" / "model.safetensors")
        return adapt("x")

    kind(f"our weights: {_name}")(_make)

ODD: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sparse": torch.Tensor.to_sparse,
    "compressed": torch.Tensor.to_sparse_csr,
    "complex": lambda rows: rows.to(torch.complex64),
    "without values": lambda rows: rows.to("meta"),
    "quantized": lambda rows: torch.quantize_per_tensor(rows, 0.1, 0, torch.qint8),
    "one value repeated": lambda rows: torch.ones(1).expand(rows.shape),
    "a shape of a terabyte": lambda rows: torch.ones(1).expand(1 << 20, 1 << 18),
}
for _name, _odd in ODD.items():

    def _make(top: Path, folder: Path, odd: Callable[[torch.Tensor], torch.Tensor] = _odd) -> list[str]:
        with torch.serialization.safe_globals([argparse.Namespace]):
            checkpoint = torch.load(top / "training" / "checkpoint_best.pt", weights_only=True)
        name = "decoder.seg_projection.weight"
        checkpoint["model"][name] = odd(checkpoint["model"][name])
        torch.save(checkpoint, folder / "a.pt")
        shutil.copy(top / "port" / "vocab.json", folder)
        shutil.copy(top / "port" / "merges.txt", folder)
        return predict("a.pt")

    kind(f"rows: {_name}")(_make)


# ---------------------------------------------------------------- words


def _half(text: str) -> str:
    return "\n".join(text.splitlines()[: len(text.splitlines()) // 2])


def _shuffled(text: str) -> str:
    ids = json.loads(text)
    return json.dumps({piece: (number + 9) % len(ids) for piece, number in ids.items()})


def _as_text(text: str) -> str:
    return json.dumps({piece: str(number) for piece, number in json.loads(text).items()})


for _name, _file, _broken in (
    ("merges empty", "merges.txt", lambda text: "#version: 0.2\n"),
    ("merges cut in half", "merges.txt", _half),
    ("a merge of 30 megabytes", "merges.txt", lambda text: text + "x" * (30 << 20)),
    ("ids shuffled", "vocab.json", _shuffled),
    ("half of the ids", "vocab.json", lambda text: json.dumps(dict(list(json.loads(text).items())[:20_000]))),
    ("ids that are text", "vocab.json", _as_text),
    ("no object", "vocab.json", lambda text: "[1, 2]"),
    ("no text", "vocab.json", lambda text: "\udcff"),
):

    def _make(top: Path, folder: Path, file: str = _file, broken: Callable[[str], str] = _broken) -> list[str]:
        shutil.copytree(top / "port", folder / "x")
        path = folder / "x" / file
        path.write_text(broken(path.read_text()), errors="surrogateescape")
        return adapt("x")

    kind(f"words: {_name}")(_make)

for _name, _change in {
    "a regex without end": {"normalizer": {"type": "Replace", "pattern": {"Regex": "(a+)+$" * 50}, "content": ""}},
    "a chain of replacements": {
        "normalizer": {
            "type": "Sequence",
            "normalizers": [{"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 1000}] * 12,
        }
    },
    "no model": {"model": None},
    "an unknown model": {"model": {"type": "Magic"}},
}.items():

    def _make(top: Path, folder: Path, change: dict[str, Any] = _change) -> list[str]:
        copied(top / "ours", folder)
        tokenizer = json.loads((folder / "x" / "tokenizer.json").read_text())
        write(folder, "tokenizer.json", tokenizer | change)
        return ["vocab", "--category", "cat", "--category", "dog", "--base", "x"]  # reads it, and trains nothing

    kind(f"tokenizer: {_name}")(_make)

for _name, _changed in {
    "ids beyond the rows": {"prompt_ids": [0, 60000, 2]},
    "100,000 ids": {"prompt_ids": [0] * 100_000},
    "ids that are text": {"prompt_ids": ["a"]},
    "below zero": {"prompt_ids": [-5]},
    "no categories": {"categories": []},
}.items():

    def _make(top: Path, folder: Path, changed: dict[str, Any] = _changed) -> list[str]:
        copied(top / "model", folder)
        vocabulary = json.loads((folder / "x" / "vocabulary.json").read_text())
        write(folder, "vocabulary.json", vocabulary | changed)
        return predict("x")

    kind(f"vocabulary: {_name}")(_make)


@kind("vocabulary: nested")
def _(top: Path, folder: Path) -> list[str]:
    copied(top / "model", folder)
    write(folder, "vocabulary.json", '{"categories":' * 100_000)
    return predict("x")


@kind("known words: nested")
def _(top: Path, folder: Path) -> list[str]:
    copied(top / "ours", folder)
    write(folder, "words.json", '{"a":' * 1000 + "1" + "}" * 1000)
    return adapt("x")


for _name, _text in {
    "doubling": "a: &a [1]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "a tag that runs": "seed: !!python/object/apply:os.system ['touch ran']\n",
    "nested": "[" * 100_000,
    "a key of mine": "seeed: 3\n",
}.items():

    def _make(top: Path, folder: Path, text: str = _text) -> list[str]:
        copied(top / "model", folder)
        write(folder, "recipe.yaml", text)
        return predict("x")

    kind(f"recipe: {_name}")(_make)


# ---------------------------------------------------------------- updates

for _name, _change in {
    "a path to elsewhere": {"base": "../../../etc"},
    "a rank beyond measure": {"rank": 10**9},
    "a part that is none": {"train": ESCAPES},
    "without a base": {"base": None},
    "another base": {"base": "builtin"},
}.items():

    def _make(top: Path, folder: Path, change: dict[str, Any] = _change, name: str = _name) -> list[str]:
        settings = copied(top / "update", folder)
        write(folder, "config.json", settings | {"update": settings["update"] | change})
        beside = [] if name in ("a path to elsewhere", "another base") else ["--base", str(top / "ours")]
        return predict("x", *beside)

    kind(f"update: {_name}")(_make)


@kind("update: no numbers")
def _(top: Path, folder: Path) -> list[str]:
    copied(top / "update", folder)
    tensors = load_file(folder / "x" / "update.safetensors")
    save_file({name: each * float("nan") for name, each in tensors.items()}, folder / "x" / "update.safetensors")
    return predict("x", "--base", str(top / "ours"))


@kind("update: of other shapes")
def _(top: Path, folder: Path) -> list[str]:
    copied(top / "update", folder)
    save_file({"decoder.stranger": torch.ones(3)}, folder / "x" / "update.safetensors")
    return predict("x", "--base", str(top / "ours"))


# ---------------------------------------------------------------- names


@kind("name: 300 letters")
def _(top: Path, folder: Path) -> list[str]:
    return adapt("x" * 300)


@kind("name: colours")
def _(top: Path, folder: Path) -> list[str]:
    return adapt(ESCAPES)


@kind("a base where a model is wanted")
def _(top: Path, folder: Path) -> list[str]:
    return predict(top / "ours")
