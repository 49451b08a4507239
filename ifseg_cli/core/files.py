"""Writing files so that nothing is ever lost: under another name, then moved into place.

Every way in which a disk or a name refuses (full, read-only, forbidden, too long) is an `OutputError`, whenever it
shows itself: when the file is opened, written, flushed, closed or moved.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import IO, Any

from ifseg_cli.core.errors import OutputError

_UMASK = os.umask(0)  # can only be read by setting it; here once, before there are threads
os.umask(_UMASK)
_SLACK = 1 << 20  # bytes that must stay free beside what is to be written


@contextmanager
def atomic(path: Path, mode: str = "wb") -> Generator[IO[Any]]:
    """Open a temporary file beside `path`; on success it takes the name `path`, on failure it vanishes.

    Text is UTF-8; what UTF-8 cannot hold (bytes of a file name that are none) is written escaped, `\\udce4`.

    Raises:
        OutputError: the file cannot be made, written or moved.
    """
    binary = "b" in mode
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".ifseg-", suffix=".part", dir=path.parent)
        try:
            encoding, errors = (None, None) if binary else ("utf-8", "backslashreplace")
            with os.fdopen(handle, mode, encoding=encoding, errors=errors) as file:
                yield file
            _make_ordinary(Path(temporary))
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def write_atomic(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` make a file under a temporary name with the same suffix, then move it to `path`.

    For libraries that insist on a path (safetensors, matplotlib).

    Raises:
        OutputError: as `atomic`.
    """
    own = f"{os.getpid()}-{get_ident()}"  # threads write side by side
    temporary = path.with_name(f".ifseg-{own}.part{path.suffix}")
    try:
        with _told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write(temporary)
            _make_ordinary(temporary)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _told(path: Path) -> Generator[None]:
    """What goes wrong while a file is written, as one line about `path`."""
    try:
        yield
    except OSError as error:
        raise _refused(path, error) from error
    except Exception as error:
        if type(error).__name__ != "SafetensorError":  # the library wraps what the disk says in an error of its own
            raise
        raise OutputError(f"cannot write {path}: {_reason(str(error))}", remedy="choose another --out") from error


def _refused(path: Path, error: OSError) -> OutputError:
    refused = OutputError(f"cannot write {path}: {error.strerror or error}", remedy="choose another --out")
    refused.__cause__ = error
    return refused


def _reason(text: str) -> str:
    """What the system said, without what a library puts around it (`... Os { code: 28, message: "..." }`)."""
    return text.split('message: "')[-1].split('"')[0] if 'message: "' in text else text


def is_about_the_name(error: OutputError) -> bool:
    """Whether another file might well be written: the name alone was refused, not the disk or the folder."""
    cause = error.__cause__
    return isinstance(cause, OSError) and cause.errno in (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL)


def _make_ordinary(path: Path) -> None:
    """Give a file the permissions of one that `open` makes: temporary files, and safetensors', are private."""
    path.chmod(0o666 & ~_UMASK)


@contextmanager
def readable_path(path: Path) -> Generator[Path]:
    """`path`, or another name of the same file for libraries that open only names in UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        with tempfile.TemporaryDirectory(prefix="ifseg-") as folder:
            link = Path(folder, f"link{path.suffix}")
            link.symlink_to(path.absolute())
            yield link
    else:
        yield path


def read_small(path: Path, most: int) -> str:
    """UTF-8 text of a file whose maker is not known: a regular file, of a bounded size, and never one that waits.

    Args:
        path: a file; links are followed.
        most: bytes.

    Raises:
        OSError: it is a pipe, a device or a folder, has more bytes, or cannot be read; `strerror` says which.
        UnicodeDecodeError: it is not UTF-8.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe without a writer would never open
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no file but a pipe, a device or a folder")
        if found.st_size > most:
            raise OSError(errno.EFBIG, f"it has {_told_size(found.st_size)}, at most {_told_size(most)} are expected")
        return file.read(most).decode("utf-8")


def require_regular(path: Path) -> None:
    """Refuse what is no regular file, before a library opens it and waits.

    Raises:
        OSError: it is a pipe, a device or a folder, or cannot be looked at.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no file but a pipe, a device or a folder")


def _told_size(number: int) -> str:
    return f"{number >> 20} MB" if number >= 1 << 20 else f"{number:,} bytes"


def append_line(path: Path, line: str) -> None:
    """Add a line to a file and flush it.

    Raises:
        OutputError: it cannot be written.
    """
    with _told(path), path.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(line + "\n")


def shorten(path: Path, size: int) -> None:
    """Cut a file off after `size` bytes.

    Raises:
        OutputError: it cannot be written to.
    """
    with _told(path):
        os.truncate(path, size)


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


def sha256_of(value: object) -> str:
    """Hex SHA-256 of a value that JSON can hold, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def require_new(path: Path, overwrite: bool) -> None:
    """Refuse an output that exists already (a file, or a folder with something in it).

    Raises:
        OutputError: it exists and `overwrite` is off, or cannot be looked at.
    """
    with _told(path):
        taken = path.is_file() or (path.is_dir() and any(path.iterdir()))
    if taken and not overwrite:
        raise OutputError(f"{path} exists already", remedy="choose another --out, or say --overwrite")


def require_folder(path: Path, room: int = 0) -> None:
    """Try the place of a folder of results before any work; nothing is made.

    Args:
        path: the folder, there or not.
        room: bytes that will be written at least.

    Raises:
        OutputError: it is a file, could not be made or written to, or its disk is too full.
    """
    with _told(path):
        there = next(each for each in (path, *path.absolute().parents) if each.exists())
        if not there.is_dir():
            raise OutputError(f"{there} is a file", "a folder", "choose another --out")
        with tempfile.NamedTemporaryFile(prefix=".ifseg-", suffix=".part", dir=there) as file:
            file.write(b"try")
            file.flush()
        free = shutil.disk_usage(there).free
    if room and free < room + _SLACK:
        found = f"{there} has {free >> 20} MB free"
        raise OutputError(found, f"{(room + _SLACK) >> 20} MB", "make room, or choose another --out")


def require_file(path: Path, overwrite: bool) -> None:
    """Try the place of a single result before any work: not a folder, not there already, its folder can be written to.

    Raises:
        OutputError: with what to do.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder", "a file", "choose another --out")
    require_new(path, overwrite)
    require_folder(path.absolute().parent)


def forget(paths: Iterable[Path]) -> None:
    """Delete files of our own that may be there; folders that are empty then go too.

    Raises:
        OutputError: one cannot be deleted.
    """
    folders: set[Path] = set()
    for path in paths:
        folders.add(path.parent)
        with _told(path):
            path.unlink(missing_ok=True)
    for folder in sorted(folders, key=lambda each: -len(each.parts)):
        if folder.is_dir() and not any(folder.iterdir()):
            with _told(folder):
                folder.rmdir()
