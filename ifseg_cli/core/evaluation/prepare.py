"""Before an evaluation: everything is checked, the data set found, the model loaded. The fast checks come first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ifseg_cli.core.bases.places import DEFAULTS, LoadOptions, is_base
from ifseg_cli.core.datasets.class_map import ClassMap, read_class_map
from ifseg_cli.core.datasets.dataset import Dataset, DatasetOptions
from ifseg_cli.core.datasets.registry import adapt_command, dataset_categories, open_dataset, unseen_list
from ifseg_cli.core.errors import DatasetError, OutputError
from ifseg_cli.core.evaluation.evaluate import MASKS, OnStep
from ifseg_cli.core.evaluation.predictions import Predictions, open_predictions, require_same_names
from ifseg_cli.core.evaluation.protocols import UNADAPTED, Protocol, choose_protocol
from ifseg_cli.core.evaluation.rules import Rules
from ifseg_cli.core.files import require_folder, require_new
from ifseg_cli.core.images.colour import RGB
from ifseg_cli.core.prediction.run import require_packages
from ifseg_cli.core.recipe import PredictionSettings, prediction_settings
from ifseg_cli.core.vocabulary.category import Category
from ifseg_cli.core.vocabulary.colours import shown_colours

if TYPE_CHECKING:
    from ifseg_cli.core.prediction.model import Model

MODEL = "ifseg-model"  # what `ifseg adapt` writes unless told otherwise
DRAWING = "drawing scenes"  # the stage in which a data set is made, where one is


@dataclass(frozen=True, eq=False)
class EvaluationRun:
    """All that is known before the first label is read: a model, or masks of one or more systems."""

    dataset: Dataset
    out: Path
    rules: Rules
    protocol: Protocol
    model: Model | None
    systems: tuple[Predictions, ...]
    settings: PredictionSettings
    overwrite: bool
    colours: tuple[RGB, ...]  # one a class, for pictures
    class_map: ClassMap | None = None  # of the model's names


def prepare(
    dataset: str = "folder",
    *,
    model: str | Path | None = None,
    predictions: str | Path | None = None,
    systems: Sequence[tuple[str, Path]] = (),
    out: str | Path = "evaluation",
    where: DatasetOptions | None = None,
    rules: Rules = Rules(),
    overrides: Sequence[str] = (),
    options: Mapping[str, object] | None = None,
    device: str = "auto",
    loading: LoadOptions = DEFAULTS,
    overwrite: bool = False,
    on_step: OnStep = lambda _: None,
) -> EvaluationRun:
    """Find the data set's files (scenes are drawn here), and load the model.

    Args:
        dataset: by name.
        model: predict with it, then score; `ifseg-model` if neither it nor masks are given; a base is judged unadapted.
        predictions: score these masks, of any system.
        systems: compare these masks: (name, place) each.
        out: where the reports and a model's masks go.
        where: where the data set lies, and what its ids mean.
        rules: how masks are judged.
        overrides: `prediction.key=value` each, instead of the model's own settings.
        options: the same as key -> value.
        device: `auto`, `cpu`, `cuda` or `mps`.
        loading: how the model is read.
        overwrite: write into a folder that is not empty.
        on_step: called with the name of a stage after every sample.

    Raises:
        IfsegError: the first thing that is not right.
    """
    out, where = Path(out), where or DatasetOptions()
    places = _places(model, predictions, systems)
    chosen = None if places else str(model or MODEL)
    rules.require_sane()
    _require_sides(rules, chosen, places)
    maps = {name: read_class_map(path) for name, path in rules.class_map}
    _require_names(maps, places)
    prediction_settings(PredictionSettings(), overrides, options)  # a wrong one is told before the model is read
    inputs = {"--images": where.images, "--labels": where.labels, "--root": where.root}
    require_outside(out, inputs | {f"--compare {name}" if name else "--predictions": path for name, path in places})
    if chosen is None or not _was_cut_off(out, dataset):
        require_new(out, overwrite)
    require_folder(out)
    classes = dataset_categories(dataset, where)
    protocol = choose_protocol(rules, [each.name for each in classes], where.classes or dataset, unseen_list(dataset))
    loaded, settings = None, PredictionSettings()
    if chosen is not None:
        compete = protocol.categories(classes)
        loaded = _load(chosen, device, loading, compete, dataset, where, rules, maps.get(""))
        if is_base(chosen):
            protocol = replace(protocol, how=UNADAPTED)
        wanted = loaded.settings.model_copy(update={"save_confidence": True})  # for its calibration
        settings = prediction_settings(wanted, overrides, options)
        require_packages(settings)
    found = protocol.applied(open_dataset(dataset, where, out / dataset, lambda: on_step(DRAWING)))
    opened = tuple(open_predictions(path, found, maps.get(name, maps.get("")), name) for name, path in places)
    colours = shown_colours(protocol.categories(classes))
    return EvaluationRun(found, out, rules, protocol, loaded, opened, settings, overwrite, colours, maps.get(""))


def _was_cut_off(out: Path, dataset: str) -> bool:
    """Whether a folder holds a model's masks (and drawn scenes) alone: a run without a report, which goes on."""
    return (out / MASKS).is_dir() and {each.name for each in out.iterdir()} <= {MASKS, dataset}


def require_outside(out: Path, inputs: Mapping[str, Path | None]) -> None:
    """Refuse an output folder that is, or lies in, a folder that is read: the next run would read our results.

    Raises:
        OutputError: with the option's name.
    """
    for option, path in inputs.items():
        if path is not None and path.resolve() in (out.resolve(), *out.resolve().parents):
            raise OutputError(f"--out {out} lies in {option} {path}", remedy="choose another --out")


def _places(
    model: str | Path | None, predictions: str | Path | None, systems: Sequence[tuple[str, Path]]
) -> list[tuple[str, Path]]:
    """(name, place) of the masks; empty where a model is judged.

    Raises:
        DatasetError: more than one of the three, or a name that cannot be one.
    """
    given = {"--model": model is not None, "--predictions": predictions is not None, "--compare": bool(systems)}
    said = [option for option, there in given.items() if there]
    if len(said) > 1:
        raise DatasetError(f"both {' and '.join(said)}", "one of them", "leave one out")
    if predictions is not None:
        return [("", Path(predictions))]
    names = [name for name, _ in systems]
    for name in names:
        if not name or names.count(name) > 1 or name.startswith(".") or set(name) & set('/\\\0=:*?"<>|'):
            raise DatasetError(f"--compare with the name '{name}'", "different names that a folder can have")
    if len(systems) == 1:
        raise DatasetError("--compare once", "two systems or more", "say --compare NAME=PLACE again, or --predictions")
    return list(systems)


def _require_sides(rules: Rules, model: str | None, places: Sequence[tuple[str, Path]]) -> None:
    if rules.swap_vocabulary and model is None:
        raise DatasetError("--swap-vocabulary without a model", remedy="say --model, or leave it out")
    if rules.match and not places:
        raise DatasetError("--match with a model", "masks of nameless clusters", "say --predictions; a model has names")


def _require_names(maps: Mapping[str, ClassMap], places: Sequence[tuple[str, Path]]) -> None:
    """A class map is for everything, or for a system that is compared."""
    known = [name for name, _ in places]
    for name in maps:
        if name and name not in known:
            raise DatasetError(f"--class-map for '{name}'", f"a system of --compare: {', '.join(known) or 'none'}")


def _load(
    path: str,
    device: str,
    loading: LoadOptions,
    classes: tuple[Category, ...],
    dataset: str,
    where: DatasetOptions,
    rules: Rules,
    class_map: ClassMap | None,
) -> Model:
    """The model, its names compared with the data set's, or swapped for them."""
    from ifseg_cli.core.prediction.model import Model

    classes_from = where.classes or dataset
    if is_base(path) and class_map is None:
        return Model.unadapted(path, classes, classes_from, device, loading)
    model = Model.load(path, device, loading)
    source = f"the model {model.path}"
    if rules.swap_vocabulary:
        return model.with_categories(classes, classes_from)
    names = tuple(each.name for each in classes)
    if class_map is not None:
        class_map.join(model.vocabulary.names, source, names, classes_from)
    else:
        require_same_names(model.vocabulary.names, names, source, classes_from, adapt_command(dataset, where))
    return model
