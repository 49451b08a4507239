"""`ifseg evaluate`: labels and masks become numbers, each with its definition."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ifseg_cli.commands import console, options

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich.console import Console

    from ifseg_cli.core.evaluation.report import Report
    from ifseg_cli.core.prediction.model import Model

BAR = 10  # characters of a full bar
SHOWN = 10  # missing images listed on the terminal


# Options of this command alone.
Dataset = Annotated[str, typer.Option(help="folder, scenes, or a published one: ade20k, coco-stuff, voc, ...")]
ScoredModel = Annotated[
    Path | None,
    typer.Option("--model", "-m", help="Predict with this model, then score.", show_default="ifseg-model"),
]
Predictions = Annotated[
    Path | None, typer.Option(help="Score these masks, of any system; no model.", show_default=False)
]
Out = Annotated[Path, typer.Option("--out", "-o", help="Where report.json, report.md and a model's masks go.")]
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
    list[int] | None,
    typer.Option(
        help="Label value to drop besides 255 (65535 in 16 bits); repeatable.",
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
Definition = Annotated[
    str, typer.Option(help="Averaging rule: mmseg, csail or cocostuff.", rich_help_panel=options.METHOD)
]


def evaluate(
    dataset: Dataset = "folder",
    model: ScoredModel = None,
    predictions: Predictions = None,
    out: Out = Path("evaluation"),
    images: Images = None,
    labels: Labels = None,
    classes: Classes = None,
    ignore: Ignore = None,
    root: Root = None,
    count: Count = None,
    seed: Seed = None,
    resize: Resize = False,
    definition: Definition = "mmseg",
    smoothing_iterations: options.SmoothingIterations = None,
    neighbours: options.Neighbours = None,
    short_side: options.ShortSide = None,
    override: options.SetPrediction = None,
    device: options.Device = "auto",
    no_overlay: options.NoOverlay = False,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
) -> int:
    """Score masks against labels: mIoU, mAcc, aAcc, fwIoU and every class, each with its definition.

    With --model the images are predicted first, as ifseg predict does, into OUT/masks. Labels, images and classes are
    compared before any work. Images without a usable mask are listed and counted (exit code 3).

    Example:  ifseg evaluate --dataset ade20k

    Example:  ifseg evaluate --images photos --labels labels --classes cats.txt --model ifseg-model

    Example:  ifseg evaluate --labels labels --classes cats.txt --predictions masks

    Example:  ifseg evaluate --dataset scenes --count 100 --root scenes --model ifseg-model
    """
    from ifseg_cli.core.datasets.dataset import DatasetOptions
    from ifseg_cli.core.evaluation.run import prepare

    with _bars(count) as on_step:
        run = prepare(
            dataset,
            model=model,
            predictions=predictions,
            out=out,
            where=DatasetOptions(images, labels, classes, tuple(ignore or ()), root, count, seed),
            definition=definition,
            overrides=override or (),
            options={
                "smoothing_iterations": smoothing_iterations,
                "neighbours": neighbours,
                "short_side": short_side,
                "overlay": False if no_overlay else None,
            },
            device=device,
            overwrite=overwrite,
            resize=resize,
            on_step=on_step,
        )
    if run.model is not None:
        _introduce(run.model, len(run.dataset), len(run.dataset.classes))
    try:
        with console.stop_on_signal("picture") as stopped, _bars(len(run.dataset)) as on_step:
            evaluated = run.carry_out(console.command(), on_step, stopped)
    except KeyboardInterrupt:
        console.say_error(f"interrupted: no numbers yet; masks that are done lie in {out}; --overwrite starts anew")
        return console.INTERRUPTED
    _show(evaluated.report, out, console.err if as_json else console.out)
    if as_json:
        typer.echo(json.dumps(evaluated.to_json(), indent=2, ensure_ascii=False))
    return console.SOME_FAILED if evaluated.report.missing else console.DONE


def _introduce(model: Model, images: int, classes: int) -> None:
    from ifseg_cli.core.errors import counted

    console.say(f"{counted(images, 'image')}, {counted(classes, 'class')}, {model.device_reason}")


@contextmanager
def _bars(total: int | None) -> Generator[Callable[[str], None]]:
    """One bar a stage, made when the stage begins; without an end where nobody knows how many there will be."""
    with console.progress("images") as bar:
        tasks: dict[str, Any] = {}

        def on_step(stage: str) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total, note="")
            bar.update(tasks[stage], advance=1)

        yield on_step


def _show(report: Report, out: Path, to: Console) -> None:
    """The table of classes and the summary with its definitions, then what is missing and where the files are."""
    from ifseg_cli.core.evaluation.report import percent

    right = {"justify": "right", "no_wrap": True}
    columns = ["class", ("IoU %", right), ("Acc %", right), ("pixels %", right), ("IoU", {"no_wrap": True})]
    rows = [[row.name, percent(row.iou), percent(row.acc), percent(row.share), _bar(row.iou)] for row in report.rows()]
    to.print(console.table(None, columns, rows))
    to.print()
    numbers = [[name, percent(value), report.sentences[name]] for name, value in report.numbers().items()]
    title = f"in percent, definition {report.scores.definition}"
    to.print(console.table(title, ["", ("", right), ""], numbers))
    to.print()
    for note in report.notes():
        to.print(note, markup=False)
    for missing in report.missing[:SHOWN]:
        console.say_warning(f"not in the numbers: {missing.stem}: {missing.reason}")
    if len(report.missing) > SHOWN:
        console.say_warning(f"and {len(report.missing) - SHOWN} more, all in {out / 'report.json'}")
    console.err.print(f"report: {out / 'report.md'}", markup=False, soft_wrap=True)


def _bar(value: float) -> str:
    """A fraction as text, ten characters wide; a dash where there is none."""
    if value != value:
        return "-"
    full = round(BAR * value)
    return "█" * full + "·" * (BAR - full)
