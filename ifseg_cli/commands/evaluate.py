"""`ifseg evaluate`: labels and masks become numbers, each with its definition."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ifseg_cli.commands import console

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ifseg_cli.core.datasets.dataset import Dataset
    from ifseg_cli.core.evaluation.report import Report
    from ifseg_cli.core.prediction.settings import PredictionSettings

BAR = 10  # characters of a full bar
MAKING = "drawing scenes"
SHOWN = 10  # missing images listed on the terminal


def evaluate(
    dataset: Annotated[
        str, typer.Option(help="Data set: folder (images and labels), or scenes (drawn pictures with exact truth).")
    ] = "folder",
    images: Annotated[Path | None, typer.Option(help="Folder of images; not needed with --predictions.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Folder of label PNGs, named as the images are.")] = None,
    classes: Annotated[
        str | None,
        typer.Option(help="Category file, or a shipped list: line number = id, or raw ids before the names."),
    ] = None,
    model: Annotated[Path | None, typer.Option(help="Predict with this model, then score.")] = None,
    predictions: Annotated[Path | None, typer.Option(help="Score these masks, of any system; no model.")] = None,
    out: Annotated[Path, typer.Option(help="Where report.json, report.md and a model's masks go.")] = Path(
        "evaluation"
    ),
    root: Annotated[
        Path | None,
        typer.Option(help="With scenes: where they are drawn, once, or lie already.", show_default="OUT/scenes"),
    ] = None,
    count: Annotated[int | None, typer.Option(help="With scenes: how many.", show_default="400")] = None,
    seed: Annotated[int | None, typer.Option(help="With scenes: of which seed.", show_default="0")] = None,
    definition: Annotated[str, typer.Option(help="Averaging rule: mmseg, csail or cocostuff.")] = "mmseg",
    ignore: Annotated[
        list[int] | None,
        typer.Option(help="Label value to drop besides 255 (65535 in 16 bits); repeatable.", show_default=False),
    ] = None,
    smoothing_iterations: Annotated[
        int, typer.Option(help="With --model: rounds of averaging over look-alike cells; 0 switches it off.")
    ] = 25,
    neighbours: Annotated[int, typer.Option(help="With --model: look-alikes averaged in a round.")] = 3,
    no_overlay: Annotated[bool, typer.Option("--no-overlay", help="With --model: masks alone, no pictures.")] = False,
    device: Annotated[str, typer.Option(help="With --model: auto, cpu, cuda or mps.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write into a folder that is not empty.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The report as JSON on stdout.")] = False,
) -> int:
    """Score masks against labels: mIoU, mAcc, aAcc, fwIoU and every class, each with its definition.

    With --model the images are predicted first, as ifseg predict does, into OUT/masks. Labels, images and classes are
    compared before any work. Images without a usable mask are listed and counted (exit code 3).

    Example:  ifseg evaluate --images photos --labels labels --classes cats.txt --model ifseg-model

    Example:  ifseg evaluate --labels labels --classes cats.txt --predictions masks

    Example:  ifseg evaluate --dataset scenes --count 100 --root scenes --model ifseg-model
    """
    from ifseg_cli.core.datasets.dataset import DatasetOptions
    from ifseg_cli.core.datasets.registry import open_dataset
    from ifseg_cli.core.evaluation.definitions import find_definition
    from ifseg_cli.core.evaluation.evaluate import require_outside
    from ifseg_cli.core.evaluation.report import write_report
    from ifseg_cli.core.files import require_new
    from ifseg_cli.core.prediction.settings import PredictionSettings

    _require_one_source(model, predictions)
    find_definition(definition)
    settings = PredictionSettings(
        smoothing_iterations=smoothing_iterations, neighbours=neighbours, overlay=not no_overlay
    )
    require_outside(out, {"--images": images, "--labels": labels, "--predictions": predictions, "--root": root})
    require_new(out, overwrite)
    options = DatasetOptions(images, labels, classes, tuple(ignore or ()), root, out / dataset, count, seed)
    found = open_dataset(dataset, options)
    if model is not None:
        report, facts = _with_model(found, model, device, out, settings, definition, overwrite)
    else:
        assert predictions is not None
        report, facts = _with_masks(found, predictions, definition), {}
    made = _provenance(report, facts)
    write_report(report, out, made)
    _show(report, out)
    if as_json:
        typer.echo(json.dumps(report.to_json(made), indent=2, ensure_ascii=False))
    return console.SOME_FAILED if report.missing else console.DONE


def _require_one_source(model: Path | None, predictions: Path | None) -> None:
    from ifseg_cli.core.errors import DatasetError

    if model is None and predictions is None:
        raise DatasetError("nothing to score", remedy="say --model DIR or --predictions DIR")
    if model is not None and predictions is not None:
        raise DatasetError("both --model and --predictions", "one of them", "leave one out")


def _with_model(
    dataset: Dataset,
    folder: Path,
    device: str,
    out: Path,
    settings: PredictionSettings,
    definition: str,
    overwrite: bool,
) -> tuple[Report, dict[str, Any]]:
    """Predict and score; also what the run knows of its model."""
    from ifseg_cli.core.evaluation.evaluate import evaluate_model
    from ifseg_cli.core.evaluation.predictions import require_same_names
    from ifseg_cli.core.prediction.model import Model

    model = Model.load(folder, device)
    require_same_names(model.vocabulary.names, dataset, f"the model {model.path}")
    console.say(f"{len(dataset)} images, {len(dataset.classes)} classes, {model.device_reason}")
    with _bars(len(dataset)) as on_step:
        dataset.make(lambda: on_step(MAKING))
        report = evaluate_model(
            dataset,
            model,
            out,
            settings,
            definition=definition,
            overwrite=overwrite,
            command=["ifseg", *sys.argv[1:]],
            on_step=on_step,
        )
    facts = {"model": str(model.path), "model_sha256": model.sha256, "device": str(model.device)}
    return report, facts | {"prediction": settings.to_json()}


def _with_masks(dataset: Dataset, folder: Path, definition: str) -> Report:
    from ifseg_cli.core.evaluation.evaluate import evaluate_predictions
    from ifseg_cli.core.evaluation.predictions import open_predictions

    open_predictions(folder, dataset)
    with _bars(len(dataset)) as on_step:
        dataset.make(lambda: on_step(MAKING))
        return evaluate_predictions(dataset, folder, definition=definition, on_step=on_step)


@contextmanager
def _bars(total: int) -> Generator[Callable[[str], None]]:
    """One bar a stage, made when the stage begins."""
    with console.progress("images") as bar:
        tasks: dict[str, Any] = {}

        def on_step(stage: str) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total, note="")
            bar.update(tasks[stage], advance=1)

        yield on_step


def _provenance(report: Report, facts: dict[str, Any]) -> dict[str, Any]:
    from ifseg_cli.core.provenance import provenance

    return provenance(
        ["ifseg", *sys.argv[1:]],
        **facts,
        dataset=report.dataset.name,
        classes=report.dataset.classes_from,
        predictions=str(report.predictions.folder),
        definition=report.scores.definition,
        ignored_values=list(report.dataset.ignore),
    )


def _show(report: Report, out: Path) -> None:
    """The table of classes, the summary with its definitions, what is missing, where the files are."""
    from ifseg_cli.core.evaluation.report import percent

    right = {"justify": "right", "no_wrap": True}
    columns = ["class", ("IoU %", right), ("Acc %", right), ("pixels %", right), ("IoU", {"no_wrap": True})]
    rows = [[row.name, percent(row.iou), percent(row.acc), percent(row.share), _bar(row.iou)] for row in report.rows()]
    console.err.print(console.table(None, columns, rows))
    console.err.print()
    numbers = [[name, percent(value), report.sentences[name]] for name, value in report.numbers().items()]
    title = f"in percent, definition {report.scores.definition}"
    console.err.print(console.table(title, ["", ("", right), ""], numbers))
    console.err.print()
    for note in report.notes():
        console.err.print(note, markup=False)
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
