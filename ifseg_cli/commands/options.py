"""Options that several commands share, each declared once: the same spelling, help and short form everywhere.

Those that matter first have no panel of their own; the others lie in panels by what they are about, so that the help
of a command begins with the few that most people need.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ifseg_cli.core.bases.places import LoadOptions

BASE, RECIPE, OUTPUT, DATA = "Base and device", "The recipe", "Output", "The data set"
MANY = "More than one process"

# ---------------------------------------------------------------- words

Words = Annotated[
    str | None,
    typer.Argument(metavar="[FILE|NAME]", help="A category file, or a shipped list by name.", show_default=False),
]
Categories = Annotated[
    str | None,
    typer.Option("--categories", "-c", help="A category file, or a shipped list by name.", show_default=False),
]
Category = Annotated[
    list[str] | None,
    typer.Option("--category", help="A category by name, instead of a file; repeat for more.", show_default=False),
]

# ---------------------------------------------------------------- the base

Base = Annotated[str, typer.Option("--base", help="builtin, a folder, a .pt file, ofa-base or OWNER/NAME.")]
AllowUnknown = Annotated[
    bool,
    typer.Option("--allow-unknown", help="Names it does not know are a warning, not an error.", rich_help_panel=BASE),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Categories that are one word to it are an error.", rich_help_panel=BASE),
]
Tokenizer = Annotated[
    Path | None,
    typer.Option(
        "--tokenizer",
        help="Its tokenizer (folder or file), if not beside it.",
        show_default=False,
        rich_help_panel=BASE,
    ),
]
SizeFromWeights = Annotated[
    bool,
    typer.Option(
        "--size-from-weights", help="Go on where a file's settings disagree with its weights.", rich_help_panel=BASE
    ),
]
Prompt = Annotated[
    str | None,
    typer.Option(
        "--prompt",
        metavar="TEXT",
        help="The words before the names, if its authors trained it with others than OFA's.",
        show_default=False,
        rich_help_panel=BASE,
    ),
]
BaseOfUpdate = Annotated[
    str | None,
    typer.Option(
        "--base",
        help="Of a model saved as an update (adapt --save update): its base.",
        show_default=False,
        rich_help_panel=BASE,
    ),
]
OfCheckpoint = Annotated[
    str | None,
    typer.Option(
        "--categories",
        help="For a .pt file that does not name its categories.",
        show_default=False,
        rich_help_panel=BASE,
    ),
]
Vocabulary = Annotated[
    str | None,
    typer.Option(
        "--vocabulary",
        metavar="FILE|NAME",
        help="Other words than those it was adapted to, without adapting again.",
        show_default=False,
        rich_help_panel=BASE,
    ),
]
Offline = Annotated[bool, typer.Option("--offline", help="Never touch the network.", rich_help_panel=BASE)]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.", rich_help_panel=BASE)]

# ---------------------------------------------------------------- the recipe

Recipe = Annotated[
    str | None,
    typer.Option("--recipe", help="By name (default, quick, ...), or a YAML file.", show_default="the base's own"),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change one value of it: optimiser.steps=200; repeat for more.",
        show_default=False,
        rich_help_panel=RECIPE,
    ),
]

# ---------------------------------------------------------------- how a run goes

Watch = Annotated[bool, typer.Option("--watch", help="Then wait for pictures that come or change, until Ctrl-C.")]
StopAtFailure = Annotated[bool, typer.Option("--strict", help="Stop at the first picture that cannot be used.")]

# ---------------------------------------------------------------- many processes

Shard = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="I/N",
        help="This process does the I-th of N parts (1/N to N/N), all into one --out; auto: as Slurm says.",
        show_default="as torchrun says, else all",
        rich_help_panel=MANY,
    ),
]

Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="local|ray",
        help="ray: the workers of a Ray cluster, found as Ray's own settings say.",
        rich_help_panel=MANY,
    ),
]

# ---------------------------------------------------------------- output

Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace what an earlier run left there.", rich_help_panel=OUTPUT)
]
AsJson = Annotated[bool, typer.Option("--json", help="The result as JSON on stdout.", rich_help_panel=OUTPUT)]
AsJsonLines = Annotated[
    bool,
    typer.Option("--json", help="A line of JSON an image on stdout, a summary as the last.", rich_help_panel=OUTPUT),
]


def words_given(file_or_list: str | None, names: Sequence[str] | None) -> str | Sequence[str]:
    """The one of the two that was given.

    Raises:
        CategoryError: both or neither.
    """
    from ifseg_cli.core.errors import CategoryError

    if file_or_list is not None and names:
        raise CategoryError(f"both {file_or_list!r} and --category", "categories from one place", "leave one out")
    if file_or_list is None and not names:
        remedy = "name a file or a shipped list (ifseg vocab --list), or say --category cat --category dog"
        raise CategoryError("no categories", remedy=remedy)
    return file_or_list if file_or_list is not None else names or ()


def loading(
    tokenizer: Path | None,
    size_from_weights: bool,
    prompt: str | None = None,
    offline: bool = False,
    base: str | None = None,
) -> LoadOptions:
    """How a base is read."""
    from ifseg_cli.core.bases.places import LoadOptions

    return LoadOptions(tokenizer, size_from_weights, offline, prompt, base=base)
