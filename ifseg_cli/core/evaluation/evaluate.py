"""Labels and masks become a report:

    data set -> pre-flight -> [predict] -> for every sample: label, mask -> indices -> confusion matrix -> definition

A sample without a usable mask is listed in the report, never passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ifseg_cli.core.datasets.dataset import DROPPED, Dataset
from ifseg_cli.core.datasets.preflight import LabelSurvey, check_dataset
from ifseg_cli.core.errors import DatasetError, ImageError, OutputError, listed
from ifseg_cli.core.evaluation.bootstrap import interval
from ifseg_cli.core.evaluation.confusion import Areas, ConfusionMatrix
from ifseg_cli.core.evaluation.definitions import find_definition
from ifseg_cli.core.evaluation.predictions import Predictions, open_predictions, require_same_names
from ifseg_cli.core.evaluation.report import Missing, Report
from ifseg_cli.core.images.labels import RawIds, read_label_map, upright_size

if TYPE_CHECKING:
    from ifseg_cli.core.prediction.model import Model
    from ifseg_cli.core.recipe import PredictionSettings

MASKS = "masks"  # sub-folder of the output folder where a model's masks go
CHECKING, PREDICTING, SCORING = "checking labels", "predicting", "scoring"  # the stages, each over all samples
OnStep = Callable[[str], None]


def evaluate_predictions(
    dataset: Dataset, folder: Path, *, definition: str = "mmseg", resize: bool = False, on_step: OnStep = lambda _: None
) -> Report:
    """Score a folder of masks.

    Args:
        dataset: labels and what they mean.
        folder: the masks, named as the labels are.
        definition: the averaging rule, by name.
        resize: bring masks of another size to their label's; nearest, so that ids stay ids.
        on_step: called with the name of the stage after every sample, for a progress bar.

    Raises:
        DatasetError: labels, classes and masks do not fit together, or no mask can be used.
    """
    find_definition(definition)
    _require_two_sides(dataset, folder)
    predictions = open_predictions(folder, dataset)
    survey = check_dataset(dataset, lambda _: on_step(CHECKING))
    missing, other_sizes = _check_masks(dataset, predictions)
    if other_sizes and not resize:
        found = f"{len(other_sizes)} of {len(dataset)} masks have another size than their label: {listed(other_sizes)}"
        raise DatasetError(found, "equal sizes", "predict at the size of the images, or say --resize-predictions")
    report = _score(dataset, predictions, survey, missing, definition, on_step)
    return replace(report, resized=len(other_sizes))


def evaluate_model(
    dataset: Dataset,
    model: Model,
    out: Path,
    settings: PredictionSettings,
    *,
    definition: str = "mmseg",
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

    find_definition(definition)
    require_same_names(model.vocabulary.names, dataset.classes, f"the model {model.path}", dataset.classes_from)
    if len(dataset.images) < len(dataset):
        raise DatasetError("--images is missing", remedy="a model needs the images: say --images DIR")
    survey = check_dataset(dataset, lambda _: on_step(CHECKING))
    by_path = {sample.image: sample for sample in dataset if sample.image is not None}
    sources = tuple(
        Source(path, Path(sample.stem + path.suffix), Path(sample.stem)) for path, sample in by_path.items()
    )
    summary = predict_images(
        model,
        Found(sources),
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
    predictions = open_predictions(out / MASKS, dataset)
    return _score(dataset, predictions, survey, lost, definition, on_step)


def require_outside(out: Path, inputs: Mapping[str, Path | None]) -> None:
    """Refuse an output folder that is, or lies in, a folder that is read: the next run would read our results.

    Raises:
        OutputError: with the option's name.
    """
    for option, path in inputs.items():
        if path is not None and path.resolve() in (out.resolve(), *out.resolve().parents):
            raise OutputError(f"--out {out} lies in {option} {path}", remedy="choose another --out")


def _require_two_sides(dataset: Dataset, folder: Path) -> None:
    """Labels and masks must not be the same folder.

    Raises:
        DatasetError: they are.
    """
    first = dataset.samples[0].label if len(dataset) else None
    if first is not None and first.resolve() == (folder / f"{dataset.samples[0].stem}{first.suffix}").resolve():
        raise DatasetError(f"labels and --predictions are both {folder}", "two folders", "name the masks of a system")


def _check_masks(dataset: Dataset, predictions: Predictions) -> tuple[dict[str, str], list[str]]:
    """Stem -> why it cannot be scored, for masks that are not there; and the masks of another size than their label."""
    missing: dict[str, str] = {}
    other_sizes: list[str] = []
    for sample in dataset:
        mask = predictions.find(sample)
        if mask is None:
            missing[sample.stem] = f"no mask {sample.stem}.png in {predictions.folder}"
            continue
        try:
            size = upright_size(mask)
        except ImageError as error:
            missing[sample.stem] = error.message
            continue
        label = dataset.labels.size(sample)
        if size != label:
            other_sizes.append(f"{mask} is {size[1]} x {size[0]}, its label {sample.label} is {label[1]} x {label[0]}")
    return missing, other_sizes


def _fitted(predicted: RawIds, size: tuple[int, ...]) -> RawIds:
    """A mask at its label's size, by the nearest pixel."""
    if predicted.shape == size:
        return predicted
    rows, columns = (np.arange(wanted) * there // wanted for wanted, there in zip(size, predicted.shape, strict=True))
    return predicted[rows[:, None], columns[None, :]]


def _score(
    dataset: Dataset,
    predictions: Predictions,
    survey: LabelSurvey,
    missing: dict[str, str],
    definition: str,
    on_step: OnStep,
) -> Report:
    confusion = ConfusionMatrix(len(dataset.classes), ignore=[DROPPED])
    labels = dataset.index_table()
    lost, images = dict(missing), list[Areas]()
    for sample in dataset:
        mask = predictions.find(sample)
        if sample.stem not in lost and mask is not None:
            try:
                predicted = read_label_map(mask)
            except ImageError as error:
                lost[sample.stem] = error.message
            else:
                label = labels[dataset.labels.read(sample)]
                of_image = ConfusionMatrix(len(dataset.classes), ignore=[DROPPED])
                of_image.update(label, predictions.table[_fitted(predicted, label.shape)])
                images.append(of_image.areas(with_outside_labels=definition != "cocostuff"))
                confusion.merge(of_image)
        on_step(SCORING)
    if len(lost) == len(dataset):
        raise DatasetError(f"none of the {len(dataset)} masks can be used: {next(iter(lost.values()))}")
    scores = find_definition(definition).score(confusion)
    absent = tuple(Missing(sample.stem, lost[sample.stem]) for sample in dataset if sample.stem in lost)
    return Report(dataset, predictions, scores, survey, absent, confusion, interval=interval(images, definition))
