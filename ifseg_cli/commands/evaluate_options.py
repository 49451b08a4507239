"""Options of `ifseg evaluate` alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ifseg_cli.commands import options

JUDGING = "How it is judged"

Dataset = Annotated[str, typer.Option(help="folder, scenes, or a published one: ade20k, coco-stuff, voc, ...")]
ScoredModel = Annotated[
    str | None,
    typer.Option("--model", "-m", help="Predict with it, then score; a base: unadapted.", show_default="ifseg-model"),
]
Predictions = Annotated[
    Path | None,
    typer.Option(help="Score these masks, of any system: a folder, or COCO's results (.json).", show_default=False),
]
Compare = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=PLACE", help="Masks of several systems in one table; repeat.", show_default=False),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Where the report, its page and a model's masks go.")]
Images = Annotated[
    Path | None,
    typer.Option(
        help="Folder of images; not needed with --predictions.", show_default=False, rich_help_panel=options.DATA
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        help="Folder of label PNGs, named as the images are.", show_default=False, rich_help_panel=options.DATA
    ),
]
Classes = Annotated[
    str | None,
    typer.Option(
        help="Category file or shipped list: line number = id, or raw ids first.",
        show_default=False,
        rich_help_panel=options.DATA,
    ),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(
        metavar="VALUE|none",
        help="Label value to drop besides 255 (65535 in 16 bits); repeat; none: not even those.",
        show_default=False,
        rich_help_panel=options.DATA,
    ),
]
Root = Annotated[
    Path | None,
    typer.Option(
        help="Top folder of a published data set; of scenes: where they are drawn.",
        show_default="$IFSEG_DATA, data, .",
        rich_help_panel=options.DATA,
    ),
]
Undeclared = Annotated[
    str | None,
    typer.Option(
        help="Label values that are no class: error, ignored or kept.",
        show_default="error",
        rich_help_panel=options.DATA,
    ),
]
LabelMap = Annotated[
    Path | None,
    typer.Option(
        help="What label values are among the classes: lines of 5 = cat; - drops one.",
        show_default=False,
        rich_help_panel=options.DATA,
    ),
]
ClassMap = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[NAME=]FILE",
        help="What mask values or names are among the classes: lines of 5 = cat.",
        show_default=False,
        rich_help_panel=options.DATA,
    ),
]
Count = Annotated[
    int | None, typer.Option(help="With scenes: how many.", show_default="400", rich_help_panel=options.DATA)
]
Seed = Annotated[
    int | None, typer.Option(help="With scenes: of which seed.", show_default="0", rich_help_panel=options.DATA)
]
Resize = Annotated[
    bool,
    typer.Option(
        "--resize-predictions", help="Bring masks of another size to their label's.", rich_help_panel=options.DATA
    ),
]
Definition = Annotated[str, typer.Option(help="Averaging rule: mmseg, csail or cocostuff.", rich_help_panel=JUDGING)]
ProtocolName = Annotated[
    str,
    typer.Option(
        "--protocol",
        help="standard; zero-shot: unseen classes alone; generalised: seen, unseen, harmonic.",
        rich_help_panel=JUDGING,
    ),
]
Unseen = Annotated[
    str | None,
    typer.Option(
        help="Category file or list of the unseen classes.", show_default="the data set's", rich_help_panel=JUDGING
    ),
]
SwapVocabulary = Annotated[
    bool,
    typer.Option(
        "--swap-vocabulary",
        help="Give the model the data set's names, which it was not adapted to.",
        rich_help_panel=JUDGING,
    ),
]
Match = Annotated[
    str | None,
    typer.Option(help="hungarian: masks are clusters without names.", show_default=False, rich_help_panel=JUDGING),
]
NoBoundary = Annotated[
    bool, typer.Option("--no-boundary", help="Leave Boundary IoU out; quicker.", rich_help_panel=JUDGING)
]
Workers = Annotated[int, typer.Option(help="Images scored at once; the numbers stay.", rich_help_panel=JUDGING)]
