"""Writing files so that nothing is ever lost: under another name, then moved into place."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ifseg_cli.core.errors import OutputError

_UMASK = os.umask(0)  # can only be read by setting it; here once, before there are threads
os.umask(_UMASK)


@contextmanager
def atomic(path: Path, mode: str = "wb") -> Generator[IO[Any]]:
    """Open a temporary file beside `path`; on success it takes the name `path`, on failure it vanishes.

    Raises:
        OutputError: the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}", remedy="choose another --out") from error
    try:
        with os.fdopen(handle, mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
            file.flush()
        _make_ordinary(Path(temporary))
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_atomic(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file under a temporary name with the same suffix, then move it to `path`.

    For libraries that insist on a path (safetensors, matplotlib).
    """
    temporary = path.with_name(f".{path.stem[:100]}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        _make_ordinary(temporary)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}", remedy="choose another --out") from error
    finally:
        temporary.unlink(missing_ok=True)


def _make_ordinary(path: Path) -> None:
    """Give a file the permissions of one that `open` makes: temporary files, and safetensors', are private."""
    path.chmod(0o666 & ~_UMASK)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic(path, "w") as file:
        file.write(text)


def write_json(path: Path, value: object) -> None:
    """Write indented JSON atomically, keys in the order given, non-ASCII readable."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def sha256(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def require_new(path: Path, overwrite: bool) -> None:
    """Refuse an output that exists already (a file, or a folder with something in it).

    Raises:
        OutputError: it exists and `overwrite` is off.
    """
    taken = path.is_file() or (path.is_dir() and any(path.iterdir()))
    if taken and not overwrite:
        raise OutputError(f"{path} exists already", remedy="choose another --out, or say --overwrite")
