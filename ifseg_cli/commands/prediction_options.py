"""Settings of prediction as options: each is the short form of the key of its name in a recipe's section `prediction`.

`--no-overlay` alone is named by what it takes away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from ifseg_cli.commands.options import OUTPUT

METHOD = "The method"

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
SpareSmall = Annotated[
    bool,
    typer.Option(
        "--spare-small", help="Small regions that are sure of themselves are not smoothed away.", rich_help_panel=METHOD
    ),
]
Refine = Annotated[
    str | None,
    typer.Option(
        "--refine",
        metavar="none|pamr|guided|crf",
        help="Move borders to the picture's edges; crf needs pydensecrf2.",
        show_default="the model's",
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

# ---------------------------------------------------------------- what is written

NoOverlay = Annotated[
    bool, typer.Option("--no-overlay", help="Masks alone: no overlays, no page.", rich_help_panel=OUTPUT)
]
SaveConfidence = Annotated[
    bool,
    typer.Option("--save-confidence", help="Every pixel's confidence as a grey PNG, 0 to 255.", rich_help_panel=OUTPUT),
]
SaveProbabilities = Annotated[
    bool,
    typer.Option("--save-probabilities", help="Every category in every cell, as safetensors.", rich_help_panel=OUTPUT),
]
Export = Annotated[
    list[str] | None,
    typer.Option(
        "--export",
        metavar="FORM",
        help="The masks once more, as coco, cvat, mmseg, labelme or polygons; repeat for more.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]


def given(values: Mapping[str, object]) -> dict[str, object]:
    """Those of a command's arguments that are settings and were given: key -> value, None where it was not.

    Args:
        values: the arguments by name, others among them.

    Raises:
        RecipeError: a list that is none.
    """
    from ifseg_cli.core.recipe import PredictionSettings
    from ifseg_cli.core.recipe.expect import keys

    found = {key: values[key] for key in keys(PredictionSettings) if key in values}
    if values.get("no_overlay"):
        found["overlay"] = False
    if isinstance(scales := found.get("scales"), str):
        found["scales"] = _numbers(scales, "--scales")
    if isinstance(forms := found.get("export"), list):
        found["export"] = _names(forms)
    return {key: None if value is False and key != "overlay" else value for key, value in found.items()}


def _numbers(text: str, option: str) -> tuple[float, ...]:
    """Numbers between commas.

    Raises:
        RecipeError: it is something else.
    """
    from ifseg_cli.core.errors import RecipeError

    try:
        return tuple(float(each) for each in text.split(","))
    except ValueError:
        raise RecipeError(f"{option} {text}", "numbers between commas, 0.75,1,1.5") from None


def _names(given: Sequence[str]) -> tuple[str, ...]:
    """Names from options that repeat or hold commas, each once."""
    return tuple(dict.fromkeys(name for each in given for name in each.split(",")))
