"""Where a base or a model lies, told from the name and from what lies there. Nothing heavy: asked before any work.

A base is named by `builtin`, by a path that exists (never by the network then), by a short name such as `ofa-base`, or
by OWNER/NAME on the model hub. What a path holds is told by its contents:

    folder with our config.json         a base or a model of ours
    any other folder                    OFA's Hugging Face layout, or a fairseq file with its dictionary beside it
    file                                weights: fairseq's .pt, or the port's pytorch_model.bin or model.safetensors
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ifseg_cli.core.errors import CheckpointError, shown
from ifseg_cli.core.shipped import shipped
from ifseg_cli.core.weights.files import PORT_WEIGHTS, UPDATE, WEIGHTS, read_json
from ifseg_cli.core.weights.hub import PUBLISHED, HubId

if TYPE_CHECKING:
    from ifseg_cli.core.vocabulary.category import Category
    from ifseg_cli.core.vocabulary.known import KnownWords

KNOWN = "words.json"
BUILTIN = shipped("builtin")

_HUB_ID = re.compile(r"[\w][\w.-]*/[\w][\w.-]*(@[\w][\w./-]*)?")
_FILE_ENDINGS = (".pt", ".pth", ".bin", ".safetensors", ".json", ".zip", ".tar")


@dataclass(frozen=True)
class LoadOptions:
    """What a user may say about loading, besides the name."""

    tokenizer: Path | None = None  # instead of the files beside the weights
    size_from_weights: bool = False  # believe the tensors where the file's settings say otherwise
    offline: bool = False  # never touch the network
    prompt: str | None = None  # instead of the one in the file's settings, or OFA's
    categories: tuple[Category, ...] | None = None  # of a training checkpoint, instead of its own list
    base: str | None = None  # of a model that is saved as an update of it


DEFAULTS = LoadOptions()


def find_base(name: str) -> Path | HubId:
    """What a base's name means.

    Raises:
        CheckpointError: nothing.
    """
    if name == "builtin":
        return BUILTIN
    if name and exists(Path(name)):
        return Path(name)
    short, _, revision = name.partition("@")
    if short in PUBLISHED:
        return HubId(PUBLISHED[short][0], revision or None)
    if _HUB_ID.fullmatch(name) and not name.lower().endswith(_FILE_ENDINGS):
        return HubId(short, revision or None)
    expected = f"builtin, a folder, a weights file, {', '.join(PUBLISHED)}, or OWNER/NAME on the model hub"
    raise CheckpointError(f"there is no {shown(name, 80)}", expected, "name another base")


def exists(path: Path) -> bool:
    """Whether something lies there; a name that no file can have is none."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def require_base(name: str, options: LoadOptions = DEFAULTS) -> None:
    """Refuse a base that is not there, as far as can be told without reading it.

    Raises:
        CheckpointError: no such base, or a file is missing.
    """
    place = find_base(name)
    if options.tokenizer is not None and not options.tokenizer.exists():
        raise CheckpointError(f"there is no {options.tokenizer}", "a tokenizer file or folder", "name another")
    if isinstance(place, HubId):
        return
    if place.is_dir() and is_ours(place):
        require_folder(place)
    elif place.is_dir():
        weights_in(place)


def is_base(name: str) -> bool:
    """Whether something that may be a model is a base, to which no words were adapted; from its files' names alone.

    A name that is no path is one if it is `builtin` or a short name; OWNER/NAME is none, since a path may look like it.
    """
    path = Path(name)
    if not exists(Path(name)):
        return name == "builtin" or name.partition("@")[0] in PUBLISHED
    if path.is_dir():
        if is_ours(path):
            return (path / "config.json").is_file() and not (path / "vocabulary.json").exists()
        return any((path / weights).is_file() for weights in PORT_WEIGHTS)
    return False


def is_ours(folder: Path) -> bool:
    """Whether a folder is in our own layout, complete or not; a folder with nothing to tell it by counts as ours."""
    with suppress(CheckpointError):  # a config.json that cannot be read is told when it is needed
        values = read_json(folder / "config.json")
        return "model_type" not in values and "d_model" not in values
    return not any((folder / name).is_file() for name in PORT_WEIGHTS[1:]) and not list(folder.glob("*.pt"))


def known_words(name: str) -> KnownWords | None:
    """The words that a base of ours says it knows, without reading its weights; None where it reads any word.

    Raises:
        CheckpointError: no such base, or its list is malformed.
    """
    from ifseg_cli.core.vocabulary.known import KnownWords

    place = find_base(name)
    listed = None if isinstance(place, HubId) else place / KNOWN
    return KnownWords.read(listed) if listed is not None and listed.is_file() else None


def weights_in(folder: Path) -> Path:
    """The weights of a published folder.

    Raises:
        CheckpointError: there are none, several, or they are in pieces.
    """
    for name in PORT_WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    if pieces := sorted(folder.glob("*.index.json")):
        raise CheckpointError(
            f"{pieces[0]}: the weights are in several pieces", f"one {' or '.join(PORT_WEIGHTS)}", "join them first"
        )
    found = sorted(folder.glob("*.pt"))
    if len(found) == 1:
        return found[0]
    several = f"{folder} has {len(found)} weights files" if found else f"{folder} has no weights"
    raise CheckpointError(several, " or ".join(PORT_WEIGHTS), "name the file itself" if found else "name another base")


def require_folder(path: Path) -> None:
    """Refuse a folder that is no base and no model of ours.

    Raises:
        CheckpointError: no such folder, or a file is missing.
    """
    if not exists(path):
        raise CheckpointError(
            f"there is no {shown(str(path), 200)}",
            "a folder that ifseg adapt wrote",
            "run ifseg adapt, or name another folder",
        )
    needed = ("config.json", UPDATE) if exists(path / UPDATE) else ("config.json", WEIGHTS, "tokenizer.json")
    for name in needed:
        if not (path / name).is_file():
            raise CheckpointError(f"{path} has no {name}", "a base or a model of ifseg", "name another folder")
