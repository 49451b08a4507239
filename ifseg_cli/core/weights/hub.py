"""A base from the model hub: fetched once, kept in the hub's own cache, its weights compared with the hub's hash.

Only a name that no path has comes here. Downloads, progress, resuming and the cache are huggingface_hub's; what is
added is one line of error for everything that can go wrong, and a hash: the library compares sizes alone. Offline
(`--offline`, or HF_HUB_OFFLINE) and without network what the cache holds is used, and else the error says what to
fetch by other means.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ifseg_cli.core.errors import CheckpointError, IfsegError
from ifseg_cli.core.files import sha256
from ifseg_cli.core.weights.files import PORT_WEIGHTS

SETTINGS = "config.json"
WORDS = ("vocab.json", "merges.txt")
OPTIONAL = ("added_tokens.json",)

# Short name -> where it is published, and its parameters in millions (paper of OFA, table 1).
PUBLISHED: dict[str, tuple[str, int]] = {
    "ofa-tiny": ("OFA-Sys/ofa-tiny", 33),
    "ofa-medium": ("OFA-Sys/ofa-medium", 93),
    "ofa-base": ("OFA-Sys/ofa-base", 182),
    "ofa-large": ("OFA-Sys/ofa-large", 472),
    "ofa-huge": ("OFA-Sys/ofa-huge", 930),
}


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


@dataclass(frozen=True)
class Fetched:
    """A base in the cache."""

    folder: Path
    origin: str  # repository@commit


def fetch(place: HubId, offline: bool) -> Fetched:
    """Bring a base here, or find it in the cache.

    Raises:
        CheckpointError: no such repository or revision, no network and not in the cache, or not what the hub says.
    """
    from huggingface_hub import constants, errors

    if offline or constants.HF_HUB_OFFLINE:
        return _from_cache(place, "--offline" if offline else "HF_HUB_OFFLINE is set")
    try:
        return _download(place)
    except errors.RevisionNotFoundError as error:
        raise CheckpointError(f"{place.repository} has no revision {place.revision}", "one that is there") from error
    except errors.RepositoryNotFoundError as error:
        found = f"there is no {place.repository}, neither here nor on the model hub (or it is private)"
        raise CheckpointError(found, "a folder, a file or a public repository") from error
    except Exception as error:
        if isinstance(error, IfsegError) or not _is_of_network(error):
            raise
        return _from_cache(place, _first_line(error))


def _is_of_network(error: Exception) -> bool:
    """Whether an error came from the way to the hub; the library changes what it travels with."""
    modules = {each.__module__.partition(".")[0] for each in type(error).__mro__}
    return isinstance(error, OSError) or not modules.isdisjoint({"httpx", "httpx2", "huggingface_hub"})


def _download(place: HubId) -> Fetched:
    """Fetch what is not in the cache yet; an interrupted download goes on where it stopped."""
    from huggingface_hub import HfApi, hf_hub_download

    info = HfApi().model_info(place.repository, revision=place.revision, files_metadata=True)
    there = {file.rfilename: file for file in info.siblings or []}
    weights = next((name for name in PORT_WEIGHTS if name in there), None)
    missing = [name for name in (SETTINGS, *WORDS) if name not in there]
    if weights is None or missing:
        lacking = [*missing, *([] if weights else [" or ".join(PORT_WEIGHTS)])]
        raise CheckpointError(f"{place.repository} has no {', '.join(lacking)}", "an OFA in the Hugging Face layout")
    commit = str(info.sha)
    optional = [name for name in OPTIONAL if name in there]
    paths = {
        name: Path(hf_hub_download(place.repository, name, revision=commit))
        for name in (SETTINGS, *WORDS, *optional, weights)
    }
    _require_hash(paths[weights], there[weights])
    hf_hub_download(place.repository, SETTINGS, revision=place.revision)  # the cache learns the revision's name
    return Fetched(paths[SETTINGS].parent, f"{place.repository}@{commit}")


def _require_hash(path: Path, told: Any) -> None:  # noqa: ANN401 - the library's record of a file
    """Compare a file with the hash the hub has of it; a wrong one is removed, so that the next try fetches anew.

    Raises:
        CheckpointError: they differ.
    """
    expected = None if told.lfs is None else str(told.lfs.sha256)
    if expected is None or (found := sha256(path)) == expected:
        return
    path.resolve().unlink(missing_ok=True)
    path.unlink(missing_ok=True)
    message = f"{path.name} came with SHA-256 {found[:12]}..., the hub says {expected[:12]}...; it was removed"
    raise CheckpointError(message, "the file the hub describes", "try again")


def _from_cache(place: HubId, reason: str) -> Fetched:
    """What an earlier download left.

    Raises:
        CheckpointError: nothing, or not all; says what to fetch, how big it is and where to put it.
    """
    from huggingface_hub import try_to_load_from_cache

    def cached(name: str) -> Path | None:
        found = try_to_load_from_cache(place.repository, name, revision=place.revision)
        return Path(found) if isinstance(found, str) else None

    found = [cached(name) for name in (SETTINGS, *WORDS)]
    weights = next((path for name in PORT_WEIGHTS if (path := cached(name))), None)
    settings = found[0]
    if settings is None or weights is None or not all(found):
        size = f", about {place.megabytes} MB" if place.megabytes else ""
        files = f"{SETTINGS}, {', '.join(WORDS)} and {PORT_WEIGHTS[1]} (or {PORT_WEIGHTS[0]}){size}"
        raise CheckpointError(
            f"{place.repository} is not on this machine and cannot be fetched: {reason}",
            remedy=f"fetch {files} on another machine, put them into one folder, and name it with --base FOLDER",
        )
    return Fetched(settings.parent, f"{place.repository}@{settings.parent.name}")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__
