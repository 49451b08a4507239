"""The doors: a base by its name, a model by its path; and our own folders, read and written.

    config.json         sizes of the model; whether it is a base or a model; the recipe it is made for
    model.safetensors   weights; a tensor that half precision holds without loss is stored so
    update.safetensors  in its place: what changes a base into this model (`update.py`)
    tokenizer.json      text -> ids
    words.json          the words this base knows, if it does not know all
    vocabulary.json     a model's categories, prompt, ids, colours
    recipe.yaml         how it was adapted
    provenance.json     versions, hashes, settings, seeds
    README.md           the card

`config.json` is written last: a folder that has one is complete.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import save_file
from torch import Tensor

from ifseg_cli.core.bases.builtin.network import BuiltinNetwork
from ifseg_cli.core.bases.loaded import LoadedModel as LoadedModel
from ifseg_cli.core.bases.ofa.building import build_segmenter, require_sense
from ifseg_cli.core.bases.ofa.config import ModelConfig
from ifseg_cli.core.bases.ofa.network import ofa_network
from ifseg_cli.core.bases.ofa.published import load_published
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.bases.ofa.sizes import require_sane
from ifseg_cli.core.bases.places import DEFAULTS, KNOWN, LoadOptions, exists, find_base, is_ours, require_folder
from ifseg_cli.core.bases.update import UpdateOf, base_of, put_update, save_update
from ifseg_cli.core.errors import CheckpointError, shown
from ifseg_cli.core.files import forget, write_atomic, write_json, write_text
from ifseg_cli.core.recipe import load_recipe, recipe_names
from ifseg_cli.core.vocabulary.known import KnownWords
from ifseg_cli.core.vocabulary.reader import Reader
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary
from ifseg_cli.core.weights.files import MAX_VOCABULARY, UPDATE, WEIGHTS, read_json
from ifseg_cli.core.weights.hub import HubId, fetch
from ifseg_cli.core.weights.reading import read_weights

FORMAT = 1
HALF_MAX = torch.finfo(torch.float16).max

# What `config.json` calls a backbone -> the family's network.
FAMILIES: dict[str, Callable[[ModelConfig], Segmenter]] = {"resnet": ofa_network, "efficientnet-lite": BuiltinNetwork}


def load_base(name: str, device: torch.device, options: LoadOptions = DEFAULTS) -> LoadedModel:
    """Load what one starts from.

    Args:
        name: `builtin`, a folder or file, a short name (`ofa-base`), or OWNER/NAME on the model hub.
        device: where the model goes.
        options: how.

    Raises:
        CheckpointError: there is no such base, or its files are not right.
        TokenizerError: its tokenizer is missing or not right.
    """
    place = find_base(name)
    if isinstance(place, HubId):
        fetched = fetch(place, options.offline)
        return replace(load_published(fetched.folder, device, options, as_base=True), origin=fetched.origin)
    if _own_folder(place) is not None:
        _require_published(place, options)
        return load_folder(place, device)
    return load_published(place, device, options, as_base=True)


def load_model_folder(path: Path, device: torch.device, options: LoadOptions = DEFAULTS) -> LoadedModel:
    """Load an adapted model: our own folder, or a training checkpoint of the published program.

    Raises:
        CheckpointError: it is missing, not right, or a base that no vocabulary was adapted to.
    """
    own = _own_folder(path)
    if own is not None and options.categories is not None:
        found = f"{path} has its own categories"
        raise CheckpointError(found, "--categories with a training checkpoint only", "leave out --categories")
    if own is not None and not (own / UPDATE).exists():
        _require_published(path, options)
    loaded = load_folder(path, device, options) if own is not None else load_published(path, device, options)
    if loaded.vocabulary is None:
        raise CheckpointError(f"{path} is a base without categories", "an adapted model", "run ifseg adapt first")
    return loaded


def _own_folder(path: Path) -> Path | None:
    """The path if it is a folder of our own layout, or nothing at all (which is then told as such)."""
    return path if not exists(path) or (path.is_dir() and is_ours(path)) else None


def _require_published(path: Path, options: LoadOptions) -> None:
    """Refuse what can be said of published files only: a folder of ours has its own."""
    for name in ("tokenizer", "prompt", "base"):
        told = getattr(options, name)
        if told is not None:
            found = f"--{name} {shown(str(told), 100)}, and {path} has its own"
            only = "a model saved as an update" if name == "base" else "a published file"
            raise CheckpointError(found, f"--{name} with {only} only", "leave it out")


def load_folder(path: Path, device: torch.device, options: LoadOptions = DEFAULTS) -> LoadedModel:
    """Load one of our folders, base or model, to `device` in float32, ready to predict.

    Raises:
        CheckpointError: a file is missing or not right.
    """
    require_folder(path)
    settings = read_json(path / "config.json")
    _require_format(path, settings)
    base = _updated(path, settings, options) if (path / UPDATE).exists() else _whole(path, settings)
    network, reader = base.network, base.reader
    vocabulary = None
    if os.path.lexists(path / "vocabulary.json"):  # a link that leads nowhere is told, not passed over
        vocabulary = Vocabulary.from_json(read_json(path / "vocabulary.json", MAX_VOCABULARY))
        _require_ids(path, vocabulary, len(network.embedding), reader.limit)
        network.set_vocabulary(vocabulary.prompt_ids, vocabulary.piece_ids)
    network.to(device).eval()
    recipe = path / "recipe.yaml"
    name = _recipe_name(path, settings)
    prediction = load_recipe(recipe if os.path.lexists(recipe) else name).prediction
    return replace(base, vocabulary=vocabulary, recipe_name=name, path=path, prediction=prediction)


def _updated(path: Path, settings: dict[str, Any], options: LoadOptions) -> LoadedModel:
    """A base with an update in it, on the CPU."""
    told = UpdateOf.from_json(settings.get("update"), path)
    name = base_of(told, path, options.base)
    base = load_base(name, torch.device("cpu"), replace(options, base=None))
    if base.vocabulary is not None or base.weights_sha256() != told.base_sha256:
        found = f"{shown(name, 100)} is not the base that {path} was made from"
        raise CheckpointError(
            found, f"{shown(told.base, 80)}, weights SHA-256 {told.base_sha256[:12]}...", "name it by --base"
        )
    put_update(base.network, path, told)
    require_sense(cast(Segmenter, base.network), str(path / UPDATE))
    return replace(base, weights=path / UPDATE)


def _require_format(path: Path, settings: dict[str, Any]) -> None:
    if type(settings.get("format")) is not int or settings["format"] != FORMAT:
        found = f"{path / 'config.json'} is of format {str(settings.get('format'))[:20]}"
        raise CheckpointError(found, f"format {FORMAT}", "update ifseg")


def _whole(path: Path, settings: dict[str, Any]) -> LoadedModel:
    """The network of a folder that has all its weights, and its text side."""
    try:
        config = ModelConfig.from_json(settings["model"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path / 'config.json'}: {str(error)[:200]}", "the settings ifseg writes") from error
    require_sane(config, str(path / "config.json"))
    make = FAMILIES.get(config.backbone.kind)
    if make is None:
        found = f"{path / 'config.json'}: backbone {config.backbone.kind!r}"
        raise CheckpointError(found, f"one of {', '.join(FAMILIES)}", "update ifseg")
    network = build_segmenter(config, read_weights(path / WEIGHTS), str(path / WEIGHTS), make)
    require_sense(network, str(path / WEIGHTS))
    known = KnownWords.read(path / KNOWN) if os.path.lexists(path / KNOWN) else None
    reader = Reader(Tokenizer.load(path), config.prompt, config.max_text, known)
    return LoadedModel(network, reader, None, "", path)


def _recipe_name(path: Path, settings: dict[str, Any]) -> str:
    """The shipped recipe that a base is made for; a name, never a path that a stranger chose."""
    name = settings.get("recipe", "default")
    if name not in recipe_names():
        found = f"{path / 'config.json'}: recipe {str(name)[:60]!r}"
        raise CheckpointError(found, f"one of {', '.join(recipe_names())}", "say --recipe, or update ifseg")
    return str(name)


def _require_ids(path: Path, vocabulary: Vocabulary, tokens: int, most: int) -> None:
    ids = [index for names in vocabulary.piece_ids for pieces in names for index in pieces]
    if len(vocabulary.prompt_ids) > most + 2:
        found = f"{path / 'vocabulary.json'} has a prompt of {len(vocabulary.prompt_ids):,} ids"
        raise CheckpointError(found, f"at most {most + 2}", "copy the folder again")
    highest = max([*vocabulary.prompt_ids, *ids])
    if highest >= tokens:
        found = f"{path / 'vocabulary.json'} uses token {highest}"
        raise CheckpointError(found, f"ids below {tokens}, the rows of its model", "copy the folder again")


def save_folder(
    path: Path,
    loaded: LoadedModel,
    *,
    recipe_yaml: str | None = None,
    provenance: dict[str, Any] | None = None,
    card: str | None = None,
    half: bool = False,
    update: UpdateOf | None = None,
) -> None:
    """Write a base or a model as a folder; each file appears whole, `config.json` last.

    Args:
        path: the folder.
        loaded: the model.
        recipe_yaml: how it was adapted.
        provenance: where it came from.
        card: its README.
        half: save in half precision, whatever that loses.
        update: save the trained tensors alone, as an update of this base.
    """
    path.mkdir(parents=True, exist_ok=True)
    (path / "config.json").unlink(missing_ok=True)  # until all is replaced, no mixture of old and new looks complete
    forget([path / (WEIGHTS if update else UPDATE)])  # of an earlier run
    if update:
        save_update(path, loaded.network)
    else:
        _save_whole(path, loaded, half)
    if loaded.vocabulary is not None:
        write_json(path / "vocabulary.json", loaded.vocabulary.to_json())
    if recipe_yaml is not None:
        write_text(path / "recipe.yaml", recipe_yaml)
    if provenance is not None:
        write_json(path / "provenance.json", provenance | ({"weights": "half precision"} if half else {}))
    if card is not None:
        write_text(path / "README.md", card)
    kind = "base" if loaded.vocabulary is None else "model"
    config = loaded.network.to_json()
    facts = {"format": FORMAT, "kind": kind, "recipe": loaded.recipe_name, "model": config}
    write_json(path / "config.json", facts | ({"update": update.to_json()} if update else {}))


def _save_whole(path: Path, loaded: LoadedModel, half: bool) -> None:
    loaded.network.merge_updates()
    state = {name: _smallest(tensor, half) for name, tensor in loaded.network.state_dict().items()}
    write_atomic(path / WEIGHTS, lambda temporary: save_file(state, temporary))
    loaded.reader.tokenizer.save(path / "tokenizer.json")
    if loaded.reader.known is not None:
        write_json(path / KNOWN, loaded.reader.known.to_json())


def _smallest(tensor: Tensor, any_loss: bool) -> Tensor:
    """The tensor on the CPU, in half precision where that loses nothing, or whatever it loses.

    Frozen parts of a half-precision base lose nothing; what half precision cannot hold at all stays as it is.
    """
    tensor = tensor.detach().cpu().contiguous()
    if tensor.dtype != torch.float32:
        return tensor.clone()
    half = tensor.half()
    fits = bool(tensor.abs().max() <= HALF_MAX) if any_loss and tensor.numel() else torch.equal(half.float(), tensor)
    return half if fits else tensor.clone()
