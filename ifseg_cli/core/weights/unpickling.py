"""Reading torch's own files without running anything in them.

torch's weights-only reader builds tensors and plain values. Of all else it is allowed `argparse.Namespace`, in which
fairseq keeps its settings, and inert stand-ins for classes that real training files are known to hold and nobody here
needs: they take whatever they are given and do nothing. Any other global ends the reading, by name, before it is run.

A file is told by its first bytes, not by its name. Files of `torch.save` since 2020 are zip containers; where nothing
in one is compressed (torch never does) it is memory-mapped. The older format is read into memory. Everything before
that (tar) is refused.
"""

from __future__ import annotations

import argparse
import pickletools
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import torch

from ifseg_cli.core.errors import CheckpointError
from ifseg_cli.core.files import require_regular

# torch never compresses, and weights that somebody zipped shrink little: memory is bounded by the size of the file.
UNPACKED_TIMES, UNPACKED_FREE = 16, 64 << 20  # bytes that any file may unpack to
ALLOCATING = ("bytearray",)
_NAMING = ("GLOBAL", "INST", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "SHORT_BINSTRING")
OLD_PICKLES = 5  # magic number, protocol, system, the object, the storages' keys
LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # how torch.save began before it wrote zip containers
AGAIN = "fetch it again"


class Inert:
    """Stands in for a class that is not needed: keeps the state it is given, does nothing."""

    state: Any = None

    def __new__(cls, *_: object) -> Inert:
        """Take any arguments."""
        return super().__new__(cls)

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, state: object) -> None:
        self.state = state


def _each(module: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{module}.{name}" for name in names)


# What files of fairseq's trainers hold besides tensors and plain values: settings as omegaconf keeps them, the types
# these mention, meters and the dictionary of older versions, single numbers of numpy in metrics.
STAND_INS: tuple[str, ...] = (
    *_each("omegaconf.dictconfig", "DictConfig"),
    *_each("omegaconf.listconfig", "ListConfig"),
    *_each("omegaconf.base", "ContainerMetadata", "Metadata", "SCMode"),
    *_each("omegaconf.nodes", "AnyNode", "StringNode", "IntegerNode", "FloatNode", "BooleanNode", "EnumNode"),
    *_each("typing", "Any", "Union", "Optional", "List", "Dict"),
    *_each("builtins", "dict", "list", "tuple", "str", "int", "float", "bool"),
    *_each("collections", "defaultdict"),
    *_each("fairseq.data.dictionary", "Dictionary"),
    *_each("fairseq.meters", "AverageMeter", "TimeMeter", "StopwatchMeter"),
    *_each("fairseq.logging.meters", "AverageMeter", "TimeMeter", "StopwatchMeter", "MetersDict"),
    *_each("fairseq.dataclass.configs", "FairseqConfig", "CommonConfig", "CheckpointConfig", "OptimizationConfig"),
    *_each("fairseq.dataclass.constants", "StrEnum", "Choices"),
    *_each("numpy", "dtype", "ndarray"),
    *_each("numpy.core.multiarray", "scalar", "_reconstruct"),
    *_each("numpy._core.multiarray", "scalar", "_reconstruct"),
    *_each("pathlib", "PosixPath"),
)


def read_torch(path: Path) -> object:
    """What `torch.save` wrote, tensors on the CPU (memory-mapped where the file allows it).

    Raises:
        CheckpointError: it is no such file, is damaged, or asks for something that is not data.
    """
    zipped = first_bytes(path).startswith(b"PK")
    mapped = _is_mappable_zip(path) if zipped else _require_legacy(path)
    _require_no_allocation(path, zipped)
    allowed: list[Any] = [argparse.Namespace, *((Inert, name) for name in STAND_INS)]
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(allowed):
            warnings.simplefilter("ignore")  # of old formats: what is read is checked afterwards
            if path.suffix == ".safetensors":  # torch would go by the name; an open file has none
                with path.open("rb") as file:
                    return torch.load(file, map_location="cpu", weights_only=True)
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except (Exception, RecursionError) as error:
        raise _refusal(path, error) from error


def _refusal(path: Path, error: BaseException) -> CheckpointError:
    """One line for whatever went wrong inside torch."""
    text = str(error)
    if asked := re.search(r"GLOBAL ([\w.<>]+)", text):
        found = f"{path} asks for {asked[1]}, which is code and not data; nothing of it was run"
        return CheckpointError(found, "tensors and plain settings", "do not use this file unless you know its maker")
    if "TorchScript" in text:
        return CheckpointError(f"{path} is a compiled program (TorchScript)", "tensors by name", "use another file")
    first = next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)
    detail = re.split(r"This file can still be loaded|In PyTorch 2\.6|weights_only", first)[0][:200]  # unsafe advice
    return CheckpointError(f"{path} cannot be read as torch weights: {detail}", remedy=AGAIN)


def first_bytes(path: Path) -> bytes:
    """The first 64 bytes of a file.

    Raises:
        CheckpointError: it is no regular file, or cannot be read.
    """
    try:
        require_regular(path)
        with path.open("rb") as file:
            return file.read(64)
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}") from error


def _is_mappable_zip(path: Path) -> bool:
    """Whether nothing in the container is compressed.

    Raises:
        CheckpointError: the container is cut short, or would unpack to more than any model.
    """
    try:
        with zipfile.ZipFile(path) as container:
            entries = container.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise CheckpointError(
            f"{path} is cut short or damaged: {error}", "a whole file of torch.save", AGAIN
        ) from error
    unpacked, most = sum(entry.file_size for entry in entries), max(UNPACKED_FREE, UNPACKED_TIMES * path.stat().st_size)
    if unpacked > most:
        found = f"{path} unpacks to {unpacked >> 20:,} MB, {unpacked // max(1, path.stat().st_size)} times its size"
        raise CheckpointError(found, f"at most {UNPACKED_TIMES} times: weights shrink little", AGAIN)
    return all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)


def _require_no_allocation(path: Path, zipped: bool) -> None:
    """Refuse a pickle that asks for memory by a number: `bytearray`, which torch's reader would call.

    Opcodes are read, nothing is built; it takes time in proportion to the pickle.
    """
    try:
        for stream in _pickles(path, zipped):
            for opcode, argument, _ in pickletools.genops(stream):
                if isinstance(argument, str) and opcode.name in _NAMING and argument.split(" ")[-1] in ALLOCATING:
                    found = f"{path} asks for {argument.replace(' ', '.')}, which is code and not data"
                    raise CheckpointError(f"{found}; nothing of it was run", "tensors and plain settings", AGAIN)
    except (ValueError, IndexError, UnicodeDecodeError, zipfile.BadZipFile, zlib.error) as error:
        raise CheckpointError(
            f"{path} is cut short or damaged: {error}", "a whole file of torch.save", AGAIN
        ) from error


def _pickles(path: Path, zipped: bool) -> Iterator[bytes | IO[bytes]]:
    """The pickles of a file: one in a container; in the old format five, with the storages behind them."""
    if zipped:
        with zipfile.ZipFile(path) as container:
            for name in container.namelist():
                if name.endswith(".pkl"):
                    yield container.read(name)
        return
    with path.open("rb") as file:
        for _ in range(OLD_PICKLES):
            yield file


def _require_legacy(path: Path) -> bool:
    """Refuse what is no file of torch at all; the old format cannot be mapped."""
    head = first_bytes(path)
    if not head.startswith(LEGACY):
        raise CheckpointError(f"{path} is {describe_bytes(head)}", "weights of torch or safetensors", AGAIN)
    return False


def describe_bytes(head: bytes) -> str:
    """What a file that holds no weights seems to be, by its first bytes."""
    if not head:
        return "empty"
    if head.startswith(b"version https://git-lfs"):
        return "a pointer of git-lfs, not the file it points to"
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page, not the file behind it"
    if head.startswith(b"\x80"):
        return "a bare pickle"
    return "no weights file"
