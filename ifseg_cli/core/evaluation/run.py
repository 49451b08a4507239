"""A run of evaluation: labels and masks in, reports out. What `ifseg evaluate` and `ifseg_cli.evaluate` both call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ifseg_cli.core.bases.places import DEFAULTS, LoadOptions
from ifseg_cli.core.datasets.dataset import DatasetOptions
from ifseg_cli.core.errors import OutputError, UnfinishedError
from ifseg_cli.core.evaluation.compare import Comparison, write_comparison
from ifseg_cli.core.evaluation.compare import compare as put_side_by_side
from ifseg_cli.core.evaluation.evaluate import OnStep, evaluate_model, evaluate_predictions
from ifseg_cli.core.evaluation.prepare import EvaluationRun, prepare
from ifseg_cli.core.evaluation.report import Report, percent
from ifseg_cli.core.evaluation.rules import Rules
from ifseg_cli.core.evaluation.writing import write_report
from ifseg_cli.core.files import sha256_of
from ifseg_cli.core.provenance import provenance

if TYPE_CHECKING:
    from ifseg_cli.core.prediction.model import Model


@dataclass(frozen=True)
class Evaluated:
    """What a run came to."""

    reports: tuple[Report, ...]  # one a system
    provenance: dict[str, Any] = field(repr=False)
    comparison: Comparison | None = None  # of several systems

    @property
    def report(self) -> Report:
        """The report, or that of the first system."""
        return self.reports[0]

    def to_json(self) -> dict[str, Any]:
        """What `report.json` (of several systems: `comparison.json`) holds."""
        if self.comparison is not None:
            return self.comparison.to_json(self.provenance)
        return self.report.to_json(self.provenance)


def carry_out(
    run: EvaluationRun,
    command: Sequence[str] = (),
    on_step: OnStep = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Evaluated:
    """Predict where there is a model, score, and write the reports into `out`.

    Raises:
        KeyboardInterrupt: `stopped` said so while predicting; masks that are done are whole.
    """
    facts: dict[str, Any] = {}
    if run.model is not None:
        reports = [_of_the_model(run, run.model, command, on_step, stopped)]
        facts = {"model": str(run.model.path), "model_sha256": run.model.sha256, "device": str(run.model.device)}
        facts |= {"vocabulary_sha256": sha256_of(run.model.vocabulary.to_json())}
        facts |= {"prediction": run.settings.model_dump(mode="json")}
    else:
        reports = evaluate_predictions(run.dataset, run.systems, run.rules, run.protocol, on_step=on_step)
    made = _provenance(run, command, reports, facts)
    compared = put_side_by_side(reports, run.rules.definition) if len(reports) > 1 else None
    try:
        for report in reports:
            write_report(report, run.out / report.predictions.name, made, run.colours)
        if compared is not None:
            write_comparison(compared, run.out, made)
    except OutputError as error:
        kept = f"mIoU is {percent(reports[0].scores.mIoU)}, the report is not written"
        remedy = "make room, then repeat the command with --overwrite"
        raise UnfinishedError(f"{error.found}; {kept}", remedy=remedy) from error
    return Evaluated(tuple(reports), made, compared)


def evaluate(
    dataset: str = "folder",
    *,
    model: str | Path | None = None,
    predictions: str | Path | None = None,
    compare: Mapping[str, str | Path] | None = None,
    out: str | Path = "evaluation",
    images: str | Path | None = None,
    labels: str | Path | None = None,
    classes: str | None = None,
    root: str | Path | None = None,
    count: int | None = None,
    seed: int | None = None,
    ignore: Sequence[int] = (),
    undeclared: str | None = None,
    label_map: str | Path | None = None,
    rules: Rules = Rules(),
    overrides: Sequence[str] = (),
    device: str = "auto",
    loading: LoadOptions = DEFAULTS,
    overwrite: bool = False,
) -> Evaluated:
    """Score masks against labels: `ifseg evaluate` from Python, with the same result.

    Args:
        dataset: `folder`, `scenes`, or a published one (`ade20k`, `voc`, ...).
        model: predict with it, then score; `ifseg-model` if no masks are given; a base is judged unadapted.
        predictions: score these masks, of any system.
        compare: score the masks of several systems, by name, in one table.
        out: where reports and a model's masks go.
        images: folder of images; not needed where masks are given.
        labels: folder of label PNGs, named as the images are.
        classes: category file, or a shipped list.
        root: the top folder of a published data set; of scenes: where they are drawn, or lie already.
        count: with scenes: how many.
        seed: with scenes: of which seed.
        ignore: label values to drop besides 255 (65535 in 16 bits).
        undeclared: what becomes of label values that are no class: `error`, `ignored` or `kept`.
        label_map: file of what label values are among the classes.
        rules: how masks are judged.
        overrides: `prediction.key=value` each.
        device: `auto`, `cpu`, `cuda` or `mps`.
        loading: how the model is read.
        overwrite: write into a folder that is not empty.

    Raises:
        IfsegError: the first thing that is not right.
    """
    paths = (images, labels, root, label_map)
    pictures, truths, top, lines = (None if each is None else Path(each) for each in paths)
    where = DatasetOptions(
        pictures, truths, classes, tuple(ignore), top, count, seed, undeclared=undeclared, label_map=lines
    )
    run = prepare(
        dataset,
        model=model,
        predictions=predictions,
        systems=[(name, Path(place)) for name, place in (compare or {}).items()],
        out=out,
        where=where,
        rules=rules,
        overrides=overrides,
        device=device,
        loading=loading,
        overwrite=overwrite,
    )
    return carry_out(run)


def _of_the_model(
    run: EvaluationRun, model: Model, command: Sequence[str], on_step: OnStep, stopped: Callable[[], bool]
) -> Report:
    return evaluate_model(
        run.dataset,
        model,
        run.out,
        run.settings,
        run.rules,
        run.protocol,
        class_map=run.class_map,
        overwrite=run.overwrite,
        command=command,
        on_step=on_step,
        stopped=stopped,
    )


def _provenance(
    run: EvaluationRun, command: Sequence[str], reports: Sequence[Report], facts: dict[str, Any]
) -> dict[str, Any]:
    return provenance(
        command,
        **facts,
        dataset=run.dataset.name,
        classes=run.dataset.classes_from,
        classes_sha256=sha256_of([list(pair) for pair in zip(run.dataset.raw_ids, run.dataset.classes, strict=True)]),
        predictions=", ".join(str(report.predictions.place) for report in reports),
        mask_values_from=", ".join(report.predictions.values_from for report in reports),
        ignored_values=list(run.dataset.ignore),
        undeclared_values=run.dataset.undeclared,
        rules={key: str(value) for key, value in asdict(run.rules).items() if value not in (None, ())},
    )
