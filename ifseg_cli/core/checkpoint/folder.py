"""Our own folders: a base (words in, nothing adapted) and a model (a base adapted to a vocabulary).

    config.json         sizes of the model; whether it is a base or a model; the recipe it is made for
    model.safetensors   weights; a tensor that half precision holds without loss is stored so
    tokenizer.json      text -> ids
    words.json          the words this base knows, if it does not know all
    vocabulary.json     a model's categories, prompt, ids, colours
    recipe.yaml         how it was adapted
    provenance.json     versions, hashes, settings, seeds
    README.md           the card

`config.json` is written last: a folder that has one is complete.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ifseg_cli.core.checkpoint.layout import WEIGHTS, base_folder, require_folder
from ifseg_cli.core.errors import CheckpointError
from ifseg_cli.core.files import sha256, write_atomic, write_json, write_text
from ifseg_cli.core.model.config import ModelConfig
from ifseg_cli.core.model.initialise import WithoutWeights
from ifseg_cli.core.model.segmenter import Segmenter
from ifseg_cli.core.tokenizer import Tokenizer
from ifseg_cli.core.vocabulary.known import KnownWords
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary

FORMAT = 1


@dataclass(frozen=True)
class LoadedModel:
    """A base or an adapted model, with all that belongs to it."""

    segmenter: Segmenter  # in eval mode; its vocabulary is set if `vocabulary` is not None
    tokenizer: Tokenizer
    vocabulary: Vocabulary | None  # None: a base
    known: KnownWords | None  # None: the base reads any word
    recipe_name: str  # the recipe made for this base
    path: Path

    def weights_sha256(self) -> str:
        """Hex SHA-256 of the weights on disk."""
        return sha256(self.path / WEIGHTS)


def load_base(name: str, device: torch.device) -> LoadedModel:
    """Load what one starts from: `builtin`, or a folder with a base or a model in it.

    Raises:
        CheckpointError: there is no such base, or its files are not right.
    """
    return load_folder(base_folder(name), device)


def load_model_folder(path: Path, device: torch.device) -> LoadedModel:
    """Load an adapted model.

    Raises:
        CheckpointError: it is missing, not right, or a base that no vocabulary was adapted to.
    """
    loaded = load_folder(path, device)
    if loaded.vocabulary is None:
        raise CheckpointError(f"{path} is a base without categories", "an adapted model", "run ifseg adapt first")
    return loaded


def load_folder(path: Path, device: torch.device) -> LoadedModel:
    """Load one of our folders, base or model, to `device` in float32, ready to predict.

    Raises:
        CheckpointError: a file is missing or not right.
    """
    require_folder(path)
    settings = _read_json(path / "config.json")
    try:
        config = ModelConfig.from_json(settings["model"])
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{path / 'config.json'}: {error}", "the settings ifseg writes") from error
    segmenter = build_segmenter(config, read_weights(path / WEIGHTS), str(path / WEIGHTS))
    vocabulary = None
    if (path / "vocabulary.json").exists():
        vocabulary = Vocabulary.from_json(_read_json(path / "vocabulary.json"))
        segmenter.set_vocabulary(vocabulary.prompt_ids, vocabulary.piece_ids)
    known = KnownWords.read(path / "words.json") if (path / "words.json").exists() else None
    segmenter.to(device).eval()
    recipe_name = str(settings.get("recipe", "default"))
    return LoadedModel(segmenter, Tokenizer.load(path), vocabulary, known, recipe_name, path)


def build_segmenter(config: ModelConfig, weights: dict[str, Tensor], source: str) -> Segmenter:
    """Make a model around weights; nothing is initialised only to be overwritten.

    Raises:
        CheckpointError: an entry is missing, left over, or of another shape.
    """
    with torch.device("meta"), WithoutWeights():
        segmenter = Segmenter(config)
    wanted = {name: tuple(tensor.shape) for name, tensor in segmenter.state_dict().items()}
    check_entries(wanted, {name: tuple(tensor.shape) for name, tensor in weights.items()}, source)
    whole = {name: each.float() if each.is_floating_point() else each for name, each in weights.items()}
    segmenter.load_state_dict(whole, strict=True, assign=True)
    for name, parameter in segmenter.named_parameters():
        parameter.requires_grad_(not name.startswith(("embed_tokens.", "backbone.", "image_proj.")))
    segmenter.rows = torch.zeros(0, config.dim)
    segmenter.prompt_ids = torch.zeros(0, dtype=torch.long)
    return segmenter


def check_entries(wanted: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]], source: str) -> None:
    """Compare names and shapes both ways.

    Raises:
        CheckpointError: they differ; names what is missing, left over and of another shape.
    """
    missing = [f"{name} {wanted[name]}" for name in wanted if name not in found]
    left_over = [f"{name} {found[name]}" for name in found if name not in wanted]
    other = [f"{n} {found[n]} not {wanted[n]}" for n in wanted if n in found and found[n] != wanted[n]]
    faults = [
        f"{len(names)} {title}: {', '.join(names[:3])}{' ...' if len(names) > 3 else ''}"
        for title, names in (("missing", missing), ("left over", left_over), ("of another shape", other))
        if names
    ]
    if faults:
        raise CheckpointError(f"{source} does not hold this model: {'; '.join(faults)}")


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file, memory-mapped.

    Raises:
        CheckpointError: it is not one, or is cut short.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path} cannot be read as safetensors: {error}", remedy="fetch or make it again"
        ) from error


def save_folder(
    path: Path,
    loaded: LoadedModel,
    *,
    recipe_yaml: str | None = None,
    provenance: dict[str, Any] | None = None,
    card: str | None = None,
) -> None:
    """Write a base or a model as a folder; each file appears whole, `config.json` last."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "config.json").unlink(missing_ok=True)  # until all is replaced, no mixture of old and new looks complete
    state = {name: _smallest(tensor) for name, tensor in loaded.segmenter.state_dict().items()}
    write_atomic(path / WEIGHTS, lambda temporary: save_file(state, temporary))
    loaded.tokenizer.save(path / "tokenizer.json")
    if loaded.known is not None:
        write_json(path / "words.json", loaded.known.to_json())
    if loaded.vocabulary is not None:
        write_json(path / "vocabulary.json", loaded.vocabulary.to_json())
    if recipe_yaml is not None:
        write_text(path / "recipe.yaml", recipe_yaml)
    if provenance is not None:
        write_json(path / "provenance.json", provenance)
    if card is not None:
        write_text(path / "README.md", card)
    kind = "base" if loaded.vocabulary is None else "model"
    config = loaded.segmenter.config.to_json()
    write_json(path / "config.json", {"format": FORMAT, "kind": kind, "recipe": loaded.recipe_name, "model": config})


def _smallest(tensor: Tensor) -> Tensor:
    """The tensor on the CPU, in half precision where that loses nothing (frozen parts of a half-precision base)."""
    tensor = tensor.detach().cpu().contiguous()
    half = tensor.half() if tensor.dtype == torch.float32 else tensor
    return half if half.dtype == torch.float16 and torch.equal(half.float(), tensor) else tensor.clone()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}", remedy="fetch or make it again") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds no JSON object", remedy="fetch or make it again")
    return value
