"""Where a base or a model lies, told from the name and from what lies there. Nothing heavy: asked before any work.

A base is named by `builtin`, by a path that exists (never by the network then), by a short name such as `ofa-base`, or
by OWNER/NAME on the model hub. What a path holds is told by its contents:

    folder with our config.json         a base or a model of ours
    any other folder                    OFA's Hugging Face layout, or a fairseq file with its dictionary beside it
    file                                weights: fairseq's .pt, or the port's pytorch_model.bin or model.safetensors
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ifseg_cli.core.errors import CheckpointError

if TYPE_CHECKING:
    from ifseg_cli.core.vocabulary.category import Category

WEIGHTS = "model.safetensors"
PORT_WEIGHTS = (WEIGHTS, "pytorch_model.bin")  # in this order: safetensors first
BUILTIN = Path(__file__).parents[2] / "builtin"
MAX_JSON = 64 << 20  # bytes; a settings file or a vocabulary above this is none

# Short name -> where it is published, and its parameters in millions (paper of OFA, table 1).
PUBLISHED: dict[str, tuple[str, int]] = {
    "ofa-tiny": ("OFA-Sys/ofa-tiny", 33),
    "ofa-medium": ("OFA-Sys/ofa-medium", 93),
    "ofa-base": ("OFA-Sys/ofa-base", 182),
    "ofa-large": ("OFA-Sys/ofa-large", 472),
    "ofa-huge": ("OFA-Sys/ofa-huge", 930),
}
_HUB_ID = re.compile(r"[\w][\w.-]*/[\w][\w.-]*(@[\w][\w./-]*)?")
_FILE_ENDINGS = (".pt", ".pth", ".bin", ".safetensors", ".json", ".zip", ".tar")


@dataclass(frozen=True)
class LoadOptions:
    """What a user may say about loading, besides the name."""

    tokenizer: Path | None = None  # instead of the files beside the weights
    size_from_weights: bool = False  # believe the tensors where the file's settings say otherwise
    offline: bool = False  # never touch the network
    categories: tuple[Category, ...] | None = None  # of a training checkpoint, instead of its own list


DEFAULTS = LoadOptions()


@dataclass(frozen=True)
class HubId:
    """A repository on the model hub, at a revision if one is named."""

    repository: str
    revision: str | None = None

    @property
    def megabytes(self) -> int | None:
        """About how big its weights are (float32), if it is one of the five published sizes."""
        sizes = {repository.lower(): millions * 4 for repository, millions in PUBLISHED.values()}
        return sizes.get(self.repository.lower())


def find_base(name: str) -> Path | HubId:
    """What a base's name means.

    Raises:
        CheckpointError: nothing.
    """
    if name == "builtin":
        return BUILTIN
    if name and Path(name).exists():
        return Path(name)
    short, _, revision = name.partition("@")
    if short in PUBLISHED:
        return HubId(PUBLISHED[short][0], revision or None)
    if _HUB_ID.fullmatch(name) and not name.lower().endswith(_FILE_ENDINGS):
        return HubId(short, revision or None)
    expected = f"builtin, a folder, a weights file, {', '.join(PUBLISHED)}, or OWNER/NAME on the model hub"
    raise CheckpointError(f"there is no {name}", expected, "name another base")


def base_folder(name: str) -> Path:
    """The folder of a base of ours: `builtin`, or a path."""
    return BUILTIN if name == "builtin" else Path(name)


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


def is_ours(folder: Path) -> bool:
    """Whether a folder is in our own layout, complete or not; a folder with nothing to tell it by counts as ours."""
    with suppress(CheckpointError):  # a config.json that cannot be read is told when it is needed
        values = read_json(folder / "config.json")
        return "model_type" not in values and "d_model" not in values
    return not any((folder / name).is_file() for name in PORT_WEIGHTS[1:]) and not list(folder.glob("*.pt"))


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
    if not path.exists():
        raise CheckpointError(
            f"there is no {path}", "a folder that ifseg adapt wrote", "run ifseg adapt, or name another folder"
        )
    for name in ("config.json", WEIGHTS, "tokenizer.json"):
        if not (path / name).is_file():
            raise CheckpointError(f"{path} has no {name}", "a base or a model of ifseg", "name another folder")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        CheckpointError: it cannot be read, is larger than 64 MB or nested absurdly deep, or holds no object.
    """
    try:
        if path.stat().st_size > MAX_JSON:
            raise CheckpointError(f"{path} has {path.stat().st_size >> 20} MB", f"at most {MAX_JSON >> 20} MB of JSON")
        value = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise CheckpointError(f"{path} is nested too deep", "the settings of a model") from error
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}", remedy="fetch or make it again") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds no JSON object", remedy="fetch or make it again")
    return cast("dict[str, Any]", value)
