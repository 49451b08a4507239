"""Labels and masks become a report:

    data set -> a glance -> [predict] -> for every sample: label, masks -> pairs -> tallies -> definitions -> report

A sample without a usable mask is listed in the report, never passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ifseg_cli.core.datasets.class_map import ClassMap
from ifseg_cli.core.datasets.dataset import Dataset
from ifseg_cli.core.datasets.preflight import check_dataset, glance
from ifseg_cli.core.errors import DatasetError, listed
from ifseg_cli.core.evaluation.masks import FolderMasks
from ifseg_cli.core.evaluation.matching import match_clusters
from ifseg_cli.core.evaluation.predictions import Predictions, open_predictions
from ifseg_cli.core.evaluation.protocols import Protocol
from ifseg_cli.core.evaluation.report import Report, make_report
from ifseg_cli.core.evaluation.rules import Rules
from ifseg_cli.core.evaluation.scoring import score_samples

if TYPE_CHECKING:
    from ifseg_cli.core.prediction.model import Model
    from ifseg_cli.core.recipe import PredictionSettings

MASKS = "masks"  # sub-folder of the output folder where a model's masks go
# The stages, each over all samples.
CHECKING, PREDICTING, MATCHING, SCORING = "checking labels", "predicting", "matching clusters", "scoring"
OnStep = Callable[[str], None]


def evaluate_predictions(
    dataset: Dataset,
    systems: Sequence[Predictions],
    rules: Rules = Rules(),
    protocol: Protocol = Protocol(),
    *,
    lost: dict[str, str] | None = None,
    on_step: OnStep = lambda _: None,
) -> list[Report]:
    """Score the masks of one system, or of several on the same images.

    Args:
        dataset: labels and what they mean.
        systems: whose masks; from `open_predictions`.
        rules: how they are judged.
        protocol: which classes compete; `dataset` holds those already.
        lost: stem -> why, of images that could not be predicted.
        on_step: called with the name of the stage after every sample, for a progress bar.

    Returns:
        A report a system.

    Raises:
        DatasetError: labels, classes and masks do not fit together, or no mask can be used.
    """
    rules.require_sane()
    for system in systems:
        _require_two_sides(dataset, system)
    glance(dataset)
    if rules.match:
        systems = [match_clusters(dataset, system, lambda: on_step(MATCHING)) for system in systems]
    scored = score_samples(dataset, systems, rules, lost or {}, lambda: on_step(SCORING))
    others = [told for each in scored for told in each.other_sizes]
    if others and not rules.resize:
        found = f"{len(others)} of {len(dataset) * len(systems)} masks have another size than their label"
        remedy = "predict at the size of the images, or say --resize-predictions"
        raise DatasetError(f"{found}: {listed(others)}", "equal sizes", remedy)
    for each in scored:
        if not each.tally.images:
            raise DatasetError(f"none of the {len(dataset)} masks can be used: {next(iter(each.missing.values()))}")
    return [make_report(dataset, system, each, rules, protocol) for system, each in zip(systems, scored, strict=True)]


def evaluate_model(
    dataset: Dataset,
    model: Model,
    out: Path,
    settings: PredictionSettings,
    rules: Rules = Rules(),
    protocol: Protocol = Protocol(),
    *,
    class_map: ClassMap | None = None,
    overwrite: bool = False,
    command: Sequence[str] = (),
    on_step: OnStep = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Report:
    """Predict the images into `out/masks` by the code of `ifseg predict`, then score those masks.

    Raises:
        DatasetError: labels, images, classes and the model's categories do not fit together.
        OutputError: `out` is taken, or lies among the inputs.
    """
    from ifseg_cli.core.images.sources import Found, Source
    from ifseg_cli.core.prediction.engine.pipeline import predict_images

    if len(dataset.images) < len(dataset):
        raise DatasetError("--images is missing", remedy="a model needs the images: say --images DIR")
    check_dataset(dataset, lambda _: on_step(CHECKING))
    by_path = {sample.image: sample for sample in dataset if sample.image is not None}
    sources = tuple(
        Source(path, Path(sample.stem + path.suffix), Path(sample.stem)) for path, sample in by_path.items()
    )
    summary = predict_images(
        model,
        Found.of(sources),
        out / MASKS,
        settings,
        overwrite=overwrite,
        command=command,
        on_image=lambda _: on_step(PREDICTING),
        stopped=stopped,
    )
    if summary.interrupted:
        raise KeyboardInterrupt
    failed = {Path(failure.path): failure.error for failure in summary.failures}
    lost = {sample.stem: failed[path.absolute()] for path, sample in by_path.items() if path.absolute() in failed}
    if len(lost) == len(dataset):
        raise DatasetError(f"none of the {len(dataset)} images could be predicted: {next(iter(lost.values()))}")
    predictions = open_predictions(out / MASKS, dataset, class_map)
    return evaluate_predictions(dataset, [predictions], rules, protocol, lost=lost, on_step=on_step)[0]


def _require_two_sides(dataset: Dataset, system: Predictions) -> None:
    """Labels and masks must not be the same folder.

    Raises:
        DatasetError: they are.
    """
    if not isinstance(system.masks, FolderMasks) or not len(dataset):
        return
    mask, label = system.masks.path(dataset.samples[0]), dataset.samples[0].label
    if mask is not None and mask.resolve() == label.resolve():
        raise DatasetError(
            f"labels and --predictions are both {system.place}", "two folders", "name the masks of a system"
        )
