"""Options of `ifseg adapt` alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ifseg_cli.commands import options

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the adapted model.")]
Memory = Annotated[
    str,
    typer.Option(
        help="What an update may take: 8GB; the batch goes through in parts that fit.", rich_help_panel=options.BASE
    ),
]
Precision = Annotated[
    str,
    typer.Option(
        help="Of matrix products: fp32, or bf16 (half the bits; the weights stay whole).",
        show_default="bf16 on a CUDA GPU",
        rich_help_panel=options.BASE,
    ),
]
Save = Annotated[
    str,
    typer.Option(
        help="The weights: exact, fp16 (half), or update (what changed, alone).", rich_help_panel=options.OUTPUT
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Go on where an earlier run in --out stopped.", rich_help_panel=options.OUTPUT),
]
