"""Every error a user can cause. The whole family:

    IfsegError                 found / expected / remedy; exit code 2
    ├── CategoryError          a category file, a shipped list, or a name in one
    ├── RecipeError            a recipe file or a --set
    ├── TokenizerError         tokenizer files
    │   └── NoTokenizerError   none where one was looked for, or not all of its files
    ├── CheckpointError        a base or a model: folder, file or contents
    ├── ImageError             a picture that cannot be read or used
    ├── DatasetError           images and labels that do not fit together
    ├── OutputError            a result that would overwrite, or cannot be written; nothing was begun
    │   └── UnfinishedError    the same in the middle of the work: what was done is kept; exit code 3
    ├── ShardError             which part of the pictures a process should take
    └── DeviceError            a device that is not there, or too small

A message is one line: what was found, what was expected, what to do. Anything else that is raised is a fault of ours
and shows its traceback (exit code 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

SHOWN = 5  # things that a message lists
LONGEST = 800  # letters of one of its parts


def listed(things: Sequence[object], shown: int = SHOWN) -> str:
    """`a, b, c and 7 more`: a list short enough for a message."""
    more = f" and {len(things) - shown} more" if len(things) > shown else ""
    return ", ".join(map(str, things[:shown])) + more


def counted(number: int, thing: str) -> str:
    """`1 picture`, `2 pictures`, `3 categories`, `4 classes`."""
    plural = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}es" if thing.endswith("s") else f"{thing}s"
    return f"{number:,} {thing if number == 1 else plural}"


def shown(text: str, most: int = LONGEST) -> str:
    """Text that may be a stranger's, as one line of a terminal: nothing unprintable, and not more than people read."""
    if len(text) > 4 * most:  # what is cut away need not be looked at
        text = f"{text[: 2 * most]} {text[-2 * most :]}"
    line = "".join(each if each.isprintable() else _escaped(each) for each in " ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - most // 4 - 3]}...{line[len(line) - most // 4 :]}"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


class IfsegError(Exception):
    """A mistake in the user's input.

    Args:
        found: what was found, with the path, line or value in question.
        expected: what would have been right; empty if `found` says it.
        remedy: what to do next, in the imperative.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, found: str, expected: str = "", remedy: str = "") -> None:
        self.found, self.expected, self.remedy = found, expected, remedy
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The three parts as one line."""
        parts = [self.found]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.remedy:
            parts.append(self.remedy)
        return "; ".join(shown(part) for part in parts)


class CategoryError(IfsegError):
    """A category file, a shipped list, or a name in one."""


class RecipeError(IfsegError):
    """A recipe file or a `--set`."""


class TokenizerError(IfsegError):
    """Tokenizer files."""


class NoTokenizerError(TokenizerError):
    """No tokenizer where one was looked for, or not all of its files."""


class CheckpointError(IfsegError):
    """A base or a model: its folder, file or contents."""


class ImageError(IfsegError):
    """A picture that cannot be read or used."""


class DatasetError(IfsegError):
    """Images and labels that do not fit together."""


class OutputError(IfsegError):
    """A result that would overwrite another, or cannot be written."""


class UnfinishedError(OutputError):
    """A result that could not be written when work had been done; what was done is kept, and `remedy` goes on."""

    exit_code: ClassVar[int] = 3


class ShardError(IfsegError):
    """Which part of the pictures a process should take, or what its parts cannot do."""


class DeviceError(IfsegError):
    """A device that is not there, or too small."""
