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

BASE, RECIPE, METHOD, OUTPUT, DATA = "Base and device", "The recipe", "The method", "Output", "The data set"
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
OfCheckpoint = Annotated[
    str | None,
    typer.Option(
        "--categories",
        help="For a .pt file that does not name its categories.",
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
SetPrediction = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change any setting: prediction.neighbours=5; repeat for more.",
        show_default=False,
        rich_help_panel=METHOD,
    ),
]
SmoothingIterations = Annotated[
    int | None,
    typer.Option(
        "--smoothing-iterations",
        help="Rounds of averaging over look-alike cells; 0 keeps small things and rough edges.",
        show_default="the model's: 25",
        rich_help_panel=METHOD,
    ),
]
Neighbours = Annotated[
    int | None,
    typer.Option(
        "--neighbours",
        help="Look-alikes averaged in a round, the cell itself included.",
        show_default="the model's: 3",
        rich_help_panel=METHOD,
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        help="Pixels less confident than this (0 to 1) are marked ignore.",
        show_default="the model's: 0",
        rich_help_panel=METHOD,
    ),
]
ShortSide = Annotated[
    int | None,
    typer.Option(
        "--short-side",
        help="Pixels of the short side that the model sees.",
        show_default="the model's",
        rich_help_panel=METHOD,
    ),
]

Mode = Annotated[
    str | None,
    typer.Option(
        "--mode",
        metavar="whole|slide",
        help="slide: large pictures in windows of the base's size; with --short-side, small things too.",
        show_default="the model's: whole",
        rich_help_panel=METHOD,
    ),
]
Scales = Annotated[
    str | None,
    typer.Option(
        "--scales",
        metavar="S,S,...",
        help="See a picture at several sizes and average: 0.75,1,1.5; as many times slower.",
        show_default="the model's: 1",
        rich_help_panel=METHOD,
    ),
]
Flip = Annotated[
    bool, typer.Option("--flip", help="See it in the mirror too and average; twice as slow.", rich_help_panel=METHOD)
]
KeepTransparent = Annotated[
    bool,
    typer.Option(
        "--keep-transparent", help="Label transparent pixels too; else they are ignore.", rich_help_panel=METHOD
    ),
]
AcceptTruncated = Annotated[
    bool,
    typer.Option("--accept-truncated", help="Use pictures that are cut off as far as they go.", rich_help_panel=METHOD),
]

MaxPixels = Annotated[
    int | None,
    typer.Option(
        "--max-pixels", help="Pictures with more pixels fail.", show_default="179 million", rich_help_panel=METHOD
    ),
]
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

NoOverlay = Annotated[
    bool, typer.Option("--no-overlay", help="Masks alone: no overlays, no page.", rich_help_panel=OUTPUT)
]
SaveConfidence = Annotated[
    bool,
    typer.Option("--save-confidence", help="Every pixel's confidence as a grey PNG, 0 to 255.", rich_help_panel=OUTPUT),
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace what an earlier run left there.", rich_help_panel=OUTPUT)
]
AsJson = Annotated[bool, typer.Option("--json", help="The result as JSON on stdout.", rich_help_panel=OUTPUT)]


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
    tokenizer: Path | None, size_from_weights: bool, prompt: str | None = None, offline: bool = False
) -> LoadOptions:
    """How a base is read."""
    from ifseg_cli.core.bases.places import LoadOptions

    return LoadOptions(tokenizer, size_from_weights, offline, prompt)


def numbers(text: str | None, option: str) -> tuple[float, ...] | None:
    """Numbers between commas; None where the option was not given.

    Raises:
        RecipeError: it is something else.
    """
    from ifseg_cli.core.errors import RecipeError

    if text is None:
        return None
    try:
        return tuple(float(each) for each in text.split(","))
    except ValueError:
        raise RecipeError(f"{option} {text}", "numbers between commas, 0.75,1,1.5") from None
