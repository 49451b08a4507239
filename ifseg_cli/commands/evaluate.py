"""`ifseg evaluate`: labels and masks become numbers, each with its definition."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ifseg_cli.commands import console, options, prediction_options
from ifseg_cli.commands import evaluate_options as own

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from ifseg_cli.core.datasets.dataset import DatasetOptions
    from ifseg_cli.core.evaluation.prepare import EvaluationRun
    from ifseg_cli.core.prediction.model import Model

NO_VALUE = "none"


def evaluate(
    dataset: own.Dataset = "folder",
    model: own.ScoredModel = None,
    predictions: own.Predictions = None,
    compare: own.Compare = None,
    out: own.Out = Path("evaluation"),
    images: own.Images = None,
    labels: own.Labels = None,
    classes: own.Classes = None,
    ignore: own.Ignore = None,
    undeclared: own.Undeclared = None,
    label_map: own.LabelMap = None,
    class_map: own.ClassMap = None,
    root: own.Root = None,
    count: own.Count = None,
    seed: own.Seed = None,
    resize: own.Resize = False,
    definition: own.Definition = "mmseg",
    protocol: own.ProtocolName = "standard",
    unseen: own.Unseen = None,
    swap_vocabulary: own.SwapVocabulary = False,
    match: own.Match = None,
    no_boundary: own.NoBoundary = False,
    workers: own.Workers = 1,
    smoothing_iterations: prediction_options.SmoothingIterations = None,
    spare_small: prediction_options.SpareSmall = False,
    refine: prediction_options.Refine = None,
    neighbours: prediction_options.Neighbours = None,
    short_side: prediction_options.ShortSide = None,
    override: prediction_options.SetPrediction = None,
    device: options.Device = "auto",
    tokenizer: options.Tokenizer = None,
    size_from_weights: options.SizeFromWeights = False,
    prompt: options.Prompt = None,
    offline: options.Offline = False,
    base: options.BaseOfUpdate = None,
    no_overlay: prediction_options.NoOverlay = False,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
) -> int:
    """Score masks against labels: mIoU, mAcc, aAcc, fwIoU and every class, each with its definition.

    With --model the images are predicted first, as ifseg predict does, into OUT/masks. Labels, images and classes are
    compared before any work. Images without a usable mask are listed and counted (exit code 3).

    Example:  ifseg evaluate --dataset ade20k

    Example:  ifseg evaluate --images photos --labels labels --classes cats.txt --model ifseg-model

    Example:  ifseg evaluate --labels labels --classes cats.txt --predictions masks

    Example:  ifseg evaluate --dataset voc --compare ours=masks --compare theirs=other
    """
    settings = prediction_options.given(locals())
    from ifseg_cli.core.evaluation.prepare import prepare
    from ifseg_cli.core.evaluation.rules import Rules

    maps = tuple(_named(each, "") for each in class_map or ())
    rules = Rules(definition, protocol, unseen, maps, swap_vocabulary, match, not no_boundary, resize, workers)
    with _bars(count) as on_step:
        run = prepare(
            dataset,
            model=model,
            predictions=predictions,
            systems=[_named(each, "--compare") for each in compare or ()],
            out=out,
            where=_where(images, labels, classes, ignore or (), root, count, seed, undeclared, label_map),
            rules=rules,
            overrides=override or (),
            options=settings,
            device=device,
            loading=options.loading(tokenizer, size_from_weights, prompt, offline, base),
            overwrite=overwrite,
            on_step=on_step,
        )
    return _carry_out(run, as_json)


def _carry_out(run: EvaluationRun, as_json: bool) -> int:
    """Do what was prepared, and show it."""
    from ifseg_cli.commands.scores import show
    from ifseg_cli.core.evaluation.run import carry_out

    if run.model is not None:
        _introduce(run.model, len(run.dataset), len(run.dataset.classes))
    try:
        with console.stop_on_signal("picture") as stopped, _bars(len(run.dataset)) as on_step:
            evaluated = carry_out(run, console.command(), on_step, stopped)
    except KeyboardInterrupt:
        told = f"interrupted: no numbers yet; masks that are done lie in {run.out}; the same command goes on"
        console.say_error(told)
        return console.INTERRUPTED
    show(evaluated, run.out, console.err if as_json else console.out)
    if as_json:
        typer.echo(json.dumps(evaluated.to_json(), indent=2, ensure_ascii=False))
    return console.SOME_FAILED if evaluated.report.missing else console.DONE


def _where(
    images: Path | None,
    labels: Path | None,
    classes: str | None,
    ignore: Sequence[str],
    root: Path | None,
    count: int | None,
    seed: int | None,
    undeclared: str | None,
    label_map: Path | None,
) -> DatasetOptions:
    """What the user said of the data set.

    Raises:
        DatasetError: an ignored value is no number.
    """
    from ifseg_cli.core.datasets.dataset import DatasetOptions

    values = tuple(_value(each) for each in ignore if each != NO_VALUE)
    return DatasetOptions(
        images, labels, classes, values, root, count, seed, NO_VALUE not in ignore, undeclared, label_map
    )


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


def _value(text: str) -> int:
    """A label value.

    Raises:
        DatasetError: it is no number.
    """
    from ifseg_cli.core.errors import DatasetError

    if not text.isdecimal():
        raise DatasetError(f"--ignore {text}", f"a label value, or {NO_VALUE}")
    return int(text)


def _named(text: str, required: str) -> tuple[str, Path]:
    """`NAME=PLACE` in its parts; the name may be left out unless an option is named that requires it.

    Raises:
        DatasetError: no name where one is required.
    """
    from ifseg_cli.core.errors import DatasetError

    name, equals, place = text.partition("=")
    if not equals and required:
        raise DatasetError(f"{required} {text}", f"{required} NAME={text}", "give every system a name")
    return (name.strip(), Path(place)) if equals else ("", Path(text))
