"""`ifseg predict - < photo.jpg > mask.png`: one picture through a pipe; nothing else is written."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ifseg_cli.commands import console

STDIN = "-"

if TYPE_CHECKING:
    from ifseg_cli.core.bases.places import LoadOptions


@dataclass(frozen=True)
class How:
    """What a picture is segmented with, whether it comes from a pipe or from a folder."""

    model: Path
    overrides: Sequence[str]
    options: Mapping[str, object]
    device: str
    loading: LoadOptions
    vocabulary: str | None

    def as_arguments(self) -> dict[str, Any]:
        """For `prepare` and `predict_one`."""
        return vars(self)


def mask_of_stdin(how: How, alone: bool) -> int:
    """Read a picture from stdin, write its mask to stdout as PNG.

    Args:
        how: by what.
        alone: that is all that was asked for.

    Raises:
        ImageError: there is no picture, or it is not alone.
        OutputError: stdout is a terminal.
    """
    from ifseg_cli.core.errors import ImageError, OutputError

    if not alone:
        raise ImageError("- beside other pictures, --json or --watch", "- alone: its mask goes to stdout")
    if sys.stdin.isatty():
        raise ImageError("- and nothing is piped in", remedy="ifseg predict - < photo.jpg > mask.png")
    if sys.stdout.isatty():
        raise OutputError("the mask would go to the terminal", remedy="ifseg predict - < photo.jpg > mask.png")

    from ifseg_cli.core.prediction.run import predict_one

    found = predict_one(sys.stdin.buffer.read(), **how.as_arguments())
    found.mask().save(sys.stdout.buffer, format="PNG")
    sys.stdout.buffer.flush()
    return console.DONE
