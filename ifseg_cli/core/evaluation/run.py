"""A run of evaluation: labels and masks in, a report out. What `ifseg evaluate` and `ifseg_cli.evaluate` both call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ifseg_cli.core.datasets.dataset import Dataset, DatasetOptions
from ifseg_cli.core.datasets.registry import adapt_command, dataset_names, open_dataset
from ifseg_cli.core.errors import DatasetError, OutputError, UnfinishedError
from ifseg_cli.core.evaluation.definitions import find_definition
from ifseg_cli.core.evaluation.evaluate import OnStep, evaluate_model, evaluate_predictions, require_outside
from ifseg_cli.core.evaluation.predictions import open_predictions, require_same_names
from ifseg_cli.core.evaluation.report import Report, percent, write_report
from ifseg_cli.core.files import require_folder, require_new
from ifseg_cli.core.provenance import provenance
from ifseg_cli.core.recipe import PredictionSettings, prediction_settings

if TYPE_CHECKING:
    from ifseg_cli.core.prediction.model import Model

MODEL = "ifseg-model"  # what `ifseg adapt` writes unless told otherwise
DRAWING = "drawing scenes"  # the stage in which a data set is made, where one is


@dataclass(frozen=True, eq=False)
class EvaluationRun:
    """All that is known before the first label is read: a model, or a folder of masks."""

    dataset: Dataset
    out: Path
    definition: str
    model: Model | None
    predictions: Path | None
    settings: PredictionSettings
    overwrite: bool
    resize: bool = False

    def carry_out(
        self,
        command: Sequence[str] = (),
        on_step: OnStep = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Evaluated:
        """Predict where there is a model, score, and write the report into `out`.

        Raises:
            KeyboardInterrupt: `stopped` said so while predicting; masks that are done are whole.
        """
        facts: dict[str, Any] = {}
        if self.model is not None:
            report = evaluate_model(
                self.dataset,
                self.model,
                self.out,
                self.settings,
                definition=self.definition,
                overwrite=self.overwrite,
                command=command,
                on_step=on_step,
                stopped=stopped,
            )
            facts = {"model": str(self.model.path), "model_sha256": self.model.sha256, "device": str(self.model.device)}
            facts |= {"prediction": self.settings.model_dump(mode="json")}
        else:
            assert self.predictions is not None  # `prepare` asks for one of the two
            report = evaluate_predictions(
                self.dataset,
                self.predictions,
                definition=self.definition,
                resize=self.resize,
                on_step=on_step,
            )
        made = _provenance(command, report, facts)
        try:
            write_report(report, self.out, made)
        except OutputError as error:
            kept = f"mIoU is {percent(report.scores.mIoU)}, the report is not written"
            remedy = "make room, then repeat the command with --overwrite"
            raise UnfinishedError(f"{error.found}; {kept}", remedy=remedy) from error
        return Evaluated(report, made)


@dataclass(frozen=True)
class Evaluated:
    """What a run came to."""

    report: Report
    provenance: dict[str, Any] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """What `report.json` holds."""
        return self.report.to_json(self.provenance)


def prepare(
    dataset: str = "folder",
    *,
    model: str | Path | None = None,
    predictions: str | Path | None = None,
    out: str | Path = "evaluation",
    where: DatasetOptions | None = None,
    definition: str = "mmseg",
    overrides: Sequence[str] = (),
    options: Mapping[str, object] | None = None,
    device: str = "auto",
    overwrite: bool = False,
    resize: bool = False,
    on_step: OnStep = lambda _: None,
) -> EvaluationRun:
    """Find the data set's files (scenes are drawn here), and load the model.

    Args:
        dataset: by name.
        model: predict with it, then score; `ifseg-model` if neither it nor `predictions` is given.
        predictions: score these masks, of any system.
        out: where the report and a model's masks go.
        where: where the data set lies, and what its ids mean.
        definition: the averaging rule, by name.
        overrides: `prediction.key=value` each, instead of the model's own settings.
        options: the same as key -> value.
        device: `auto`, `cpu`, `cuda` or `mps`.
        overwrite: write into a folder that is not empty.
        resize: bring masks of another size to their label's (nearest), and say so.
        on_step: called with the name of a stage after every sample.

    Raises:
        IfsegError: the first thing that is not right.
    """
    out, folder = Path(out), Path(predictions) if predictions is not None else None
    if model is not None and folder is not None:
        raise DatasetError("both --model and --predictions", "one of them", "leave one out")
    model = Path(model or MODEL) if folder is None else None
    find_definition(definition)
    prediction_settings(PredictionSettings(), overrides, options)  # a wrong one is told before the model is read
    where = where or DatasetOptions()
    inputs = {"--images": where.images, "--labels": where.labels, "--predictions": folder, "--root": where.root}
    require_outside(out, inputs)
    require_new(out, overwrite)
    require_folder(out)
    names = dataset_names(dataset, where)
    loaded, settings = None, PredictionSettings()
    if model is not None:
        from ifseg_cli.core.prediction.model import Model

        loaded = Model.load(model, device)
        settings = prediction_settings(loaded.settings, overrides, options)
        require_same_names(
            loaded.vocabulary.names,
            names,
            f"the model {loaded.path}",
            where.classes or dataset,
            adapt_command(dataset, where),
        )
    found = open_dataset(dataset, where, out / dataset, lambda: on_step(DRAWING))
    if folder is not None:
        open_predictions(folder, found)
    return EvaluationRun(found, out, definition, loaded, folder, settings, overwrite, resize)


def evaluate(
    dataset: str = "folder",
    *,
    model: str | Path | None = None,
    predictions: str | Path | None = None,
    out: str | Path = "evaluation",
    images: str | Path | None = None,
    labels: str | Path | None = None,
    classes: str | None = None,
    root: str | Path | None = None,
    count: int | None = None,
    seed: int | None = None,
    ignore: Sequence[int] = (),
    definition: str = "mmseg",
    overrides: Sequence[str] = (),
    device: str = "auto",
    overwrite: bool = False,
    resize: bool = False,
) -> Evaluated:
    """Score masks against labels: `ifseg evaluate` from Python, with the same result.

    Args:
        dataset: `folder`, `scenes`, or a published one (`ade20k`, `voc`, ...).
        model: predict with it, then score; `ifseg-model` if neither it nor `predictions` is given.
        predictions: score these masks, of any system.
        out: where report.json, report.md and a model's masks go.
        images: folder of images; not needed with `predictions`.
        labels: folder of label PNGs, named as the images are.
        classes: category file, or a shipped list.
        root: the top folder of a published data set; of scenes: where they are drawn, or lie already.
        count: with scenes: how many.
        seed: with scenes: of which seed.
        ignore: label values to drop besides 255 (65535 in 16 bits).
        definition: `mmseg`, `csail` or `cocostuff`.
        overrides: `prediction.key=value` each.
        device: `auto`, `cpu`, `cuda` or `mps`.
        overwrite: write into a folder that is not empty.
        resize: bring masks of another size to their label's (nearest), and say so.

    Raises:
        IfsegError: the first thing that is not right.
    """
    folders = (None if each is None else Path(each) for each in (images, labels, root))
    pictures, truths, drawn = folders
    where = DatasetOptions(pictures, truths, classes, tuple(ignore), drawn, count, seed)
    run = prepare(
        dataset,
        model=model,
        predictions=predictions,
        out=out,
        where=where,
        definition=definition,
        overrides=overrides,
        device=device,
        overwrite=overwrite,
        resize=resize,
    )
    return run.carry_out()


def _provenance(command: Sequence[str], report: Report, facts: dict[str, Any]) -> dict[str, Any]:
    return provenance(
        command,
        **facts,
        dataset=report.dataset.name,
        classes=report.dataset.classes_from,
        predictions=str(report.predictions.folder),
        definition=report.scores.definition,
        ignored_values=list(report.dataset.ignore),
    )
