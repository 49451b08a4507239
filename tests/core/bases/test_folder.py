from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ifseg_cli.core.bases.folder import load_base, load_folder, load_model_folder, save_folder
from ifseg_cli.core.bases.places import LoadOptions
from ifseg_cli.core.errors import CheckpointError
from ifseg_cli.core.vocabulary.files import categories_from_names
from ifseg_cli.core.vocabulary.vocabulary import build_vocabulary

CPU = torch.device("cpu")


@pytest.fixture
def folder(tiny_base: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_base, tmp_path / "base"))


def test_a_model_comes_back_as_it_was(tiny_base: Path, tmp_path: Path) -> None:
    base = load_base(str(tiny_base), CPU)
    chosen = categories_from_names(["giraffe", "tennis racket", "sky"])
    vocabulary = build_vocabulary(chosen, base.reader, "names")
    base.network.set_vocabulary(vocabulary.prompt_ids, vocabulary.piece_ids)
    save_folder(tmp_path / "m", replace(base, vocabulary=vocabulary), recipe_yaml="seed: 0\n", provenance={"a": 1})
    again = load_model_folder(tmp_path / "m", CPU)
    assert again.vocabulary == vocabulary
    assert again.recipe_name == "default"
    image = torch.randn(1, 3, 48, 64)
    with torch.no_grad():
        assert torch.equal(again.network(image), base.network(image))
    ours, theirs = again.network.state_dict(), base.network.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert [name for name, each in again.network.named_parameters() if each.requires_grad] == [
        name for name, _ in base.network.trained_parameters()
    ]


def test_half_precision_is_kept_where_it_loses_nothing(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file({name: each.half() for name, each in weights.items()}, folder / "model.safetensors")
    loaded = load_folder(folder, CPU)
    save_folder(folder, loaded)
    assert {each.dtype for each in load_file(folder / "model.safetensors").values()} == {torch.float16}
    assert loaded.network.embed_tokens.weight.dtype == torch.float32


def test_a_base_does_not_predict(tiny_base: Path) -> None:
    with pytest.raises(CheckpointError, match="is a base without categories"):
        load_model_folder(tiny_base, CPU)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"there is no .*nowhere"):
        load_folder(tmp_path / "nowhere", CPU)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"has no {name}"):
        load_folder(folder, CPU)


def test_weights_cut_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=r"model\.safetensors cannot be read as safetensors"):
        load_folder(folder, CPU)


def test_entries_that_do_not_fit_are_named_both_ways(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["stranger"] = weights.pop("encoder.layer_norm.bias")
    weights["encoder.layer_norm.weight"] = torch.ones(3)
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(CheckpointError) as error:
        load_folder(folder, CPU)
    for part in ("1 missing: encoder.layer_norm.bias (16,)", "1 left over: stranger (16,)", "(3,) not (16,)"):
        assert part in error.value.message


@pytest.mark.parametrize("text", ["{", "[]", '{"model": {"dims": 3}}', '{"format": 1}'])
def test_settings_that_are_not_ours(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"config\.json"):
        load_folder(folder, CPU)


def test_config_is_written_last(tiny_base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run killed while saving leaves no folder that looks complete."""
    base = load_base(str(tiny_base), CPU)
    monkeypatch.setattr(json, "dumps", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        save_folder(folder, base)  # over a complete one
    assert not (folder / "config.json").exists()


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    for name in ("x" * 300, "x" * 5000, "a\0b"):
        with pytest.raises(CheckpointError, match="there is no") as caught:
            load_base(name, torch.device("cpu"))
        assert len(caught.value.message) < 300


@pytest.mark.parametrize(("name", "value"), [("tokenizer", Path("elsewhere")), ("prompt", "what?")])
def test_our_own_folders_bring_their_tokenizer_and_prompt(tiny_base: Path, name: str, value: object) -> None:
    with pytest.raises(CheckpointError, match=f"has its own; expected --{name} with a published file only"):
        load_base(str(tiny_base), torch.device("cpu"), LoadOptions(**{name: value}))  # pyright: ignore
