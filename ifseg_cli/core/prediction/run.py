"""A run of prediction: pictures in, a folder of masks out. What `ifseg predict` and `ifseg_cli.predict` both call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ifseg_cli.core.bases.places import DEFAULTS, LoadOptions
from ifseg_cli.core.errors import RecipeError, ShardError
from ifseg_cli.core.files import require_folder
from ifseg_cli.core.prediction.engine.ledger import require_place
from ifseg_cli.core.prediction.engine.shards import ALL, Shard
from ifseg_cli.core.prediction.method.crf import require_crf
from ifseg_cli.core.recipe import PredictionSettings, prediction_settings
from ifseg_cli.core.vocabulary.files import Words, gather_categories

ENGINES = ("local", "ray")

if TYPE_CHECKING:
    from ifseg_cli.core.images.sources import Found
    from ifseg_cli.core.prediction.engine.manifest import Failure, Record
    from ifseg_cli.core.prediction.engine.pipeline import Engine
    from ifseg_cli.core.prediction.engine.summary import Summary
    from ifseg_cli.core.prediction.model import Model
    from ifseg_cli.core.prediction.outputs.prediction import Prediction


@dataclass(frozen=True, eq=False)
class PredictionRun:
    """All that is known before the first picture."""

    model: Model
    found: Found  # this shard's
    out: Path
    settings: PredictionSettings  # the model's own, with what the user replaced
    overwrite: bool = False
    strict: bool = False
    shard: Shard = ALL
    engine: Engine | None = None  # None: this process

    def watch(
        self,
        command: Sequence[str] = (),
        on_image: Callable[[Record | Failure], None] = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
        on_export: Callable[[Record], None] = lambda _: None,
    ) -> Summary:
        """Segment and write what is there and what comes, until `stopped` (`engine/watch.py`)."""
        from ifseg_cli.core.prediction.engine.watch import watch

        first = self.overwrite

        def run(found: Found) -> Summary:
            nonlocal first
            anew, first = first, False  # what was there before goes once
            return replace(self, found=found, overwrite=anew).carry_out(command, on_image, stopped, on_export)

        return watch(self.found, run, stopped)

    def carry_out(
        self,
        command: Sequence[str] = (),
        on_image: Callable[[Record | Failure], None] = lambda _: None,
        stopped: Callable[[], bool] = lambda: False,
        on_export: Callable[[Record], None] = lambda _: None,
    ) -> Summary:
        """Segment and write (`predict_images`), then write the masks in other forms where that is asked for.

        `on_image` and `on_export` are called after every picture; `stopped` is asked between two.
        """
        from ifseg_cli.core.prediction.engine.pipeline import predict_images, side_by_side
        from ifseg_cli.core.prediction.outputs.exports.exporting import export

        summary = predict_images(
            self.model,
            self.found,
            self.out,
            self.settings,
            overwrite=self.overwrite,
            strict=self.strict,
            shard=self.shard,
            engine=self.engine or side_by_side,
            command=command,
            on_image=on_image,
            stopped=stopped,
        )
        if self.settings.export and not summary.interrupted:
            export(self.out, self.settings.export, on_export)
        return summary


def prepare(
    images: str | Path | Sequence[str | Path],
    *,
    model: str | Path = "ifseg-model",
    out: str | Path = "masks",
    overrides: Sequence[str] = (),
    options: Mapping[str, object] | None = None,
    device: str = "auto",
    loading: LoadOptions = DEFAULTS,
    overwrite: bool = False,
    strict: bool = False,
    shard: Shard = ALL,
    engine: str = "local",
    may_come_later: bool = False,
    vocabulary: Words | None = None,
) -> PredictionRun:
    """Find the pictures and load the model. The fast checks come first.

    Args:
        images: files, folders, patterns.
        model: what `ifseg adapt` wrote, or a training checkpoint of the published program.
        out: where masks, overlays and the page go.
        overrides: `prediction.key=value` each, instead of the model's own settings.
        options: the same as key -> value.
        device: `auto`, `cpu`, `cuda` or `mps`.
        loading: how the model is read.
        overwrite: begin anew in a folder that is not empty; else a run that was cut off goes on.
        strict: end with the first picture that cannot be used.
        shard: which of the pictures this process does; the others are others'.
        engine: `local`, this process; `ray`, the workers of a Ray cluster (extra `ifseg[ray]`).
        may_come_later: no picture yet is no error: they are watched for.
        vocabulary: words in place of those the model was adapted to; it is not adapted to them (open vocabulary).

    Raises:
        IfsegError: the first thing that is not right.
    """
    prediction_settings(PredictionSettings(), overrides, options)  # a wrong one is told before the model is read
    categories = None if vocabulary is None else gather_categories(vocabulary)
    if overwrite and not shard.is_all:
        raise ShardError("--overwrite with --shard", remedy=f"delete {out} first, then start the shards without it")
    _require_engine(engine)
    require_place(Path(out), overwrite)

    from ifseg_cli.core.images.search import find_images

    inputs = [images] if isinstance(images, (str, Path)) else images
    found = find_images(inputs, Path(out), may_come_later).only(lambda each: shard.takes(each.name))
    require_folder(Path(out))

    from ifseg_cli.core.prediction.model import Model  # torch from here on

    loaded = Model.load(model, device, loading)
    if categories is not None:
        loaded = loaded.with_categories(*categories)
    settings = prediction_settings(loaded.settings, overrides, options)
    require_packages(settings)
    return PredictionRun(loaded, found, Path(out), settings, overwrite, strict, shard, _engine(engine, device, loading))


def predict_one(
    picture: Path | bytes,
    *,
    model: str | Path = "ifseg-model",
    overrides: Sequence[str] = (),
    options: Mapping[str, object] | None = None,
    device: str = "auto",
    loading: LoadOptions = DEFAULTS,
    vocabulary: Words | None = None,
) -> Prediction:
    """Segment one picture and write nothing: what `ifseg predict -` does with its input. Arguments as of `prepare`.

    Raises:
        IfsegError: the first thing that is not right.
    """
    prediction_settings(PredictionSettings(), overrides, options)
    categories = None if vocabulary is None else gather_categories(vocabulary)

    from ifseg_cli.core.prediction.model import Model

    loaded = Model.load(model, device, loading)
    if categories is not None:
        loaded = loaded.with_categories(*categories)
    settings = prediction_settings(loaded.settings, overrides, options)
    require_packages(settings)
    return loaded.predict(picture, settings)


def require_packages(settings: PredictionSettings) -> None:
    """Refuse settings that need a package which is not installed.

    Raises:
        RecipeError: with the extra that brings it.
    """
    if settings.refine == "crf":
        require_crf()
    if "polygons" in settings.export and not find_spec("shapely"):
        raise RecipeError("export: polygons, and shapely is not installed", remedy="pip install 'ifseg[polygons]'")


def _require_engine(name: str) -> None:
    if name not in ENGINES:
        raise ShardError(f"--engine {name}", " or ".join(ENGINES))
    if name == "ray" and not find_spec("ray"):
        raise ShardError("--engine ray, and Ray is not installed", remedy="pip install 'ifseg[ray]'")


def _engine(name: str, device: str, loading: LoadOptions) -> Engine | None:
    if name == "local":
        return None
    from ifseg_cli.core.prediction.engine.on_ray import ray_engine

    return ray_engine(device, loading)


def predict(
    images: str | Path | Sequence[str | Path],
    *,
    model: str | Path = "ifseg-model",
    out: str | Path = "masks",
    overrides: Sequence[str] = (),
    device: str = "auto",
    loading: LoadOptions = DEFAULTS,
    overwrite: bool = False,
    strict: bool = False,
    shard: Shard = ALL,
    engine: str = "local",
    vocabulary: Words | None = None,
    on_image: Callable[[Record | Failure], None] = lambda _: None,
) -> Summary:
    """Segment pictures into a folder: `ifseg predict` from Python, with the same result.

    The arguments are those of `prepare`; `on_image` is called after every picture with its line of the manifest.

    Raises:
        IfsegError: the first thing that is not right; a picture that cannot be used is a failure in the summary.
    """
    run = prepare(
        images,
        model=model,
        out=out,
        overrides=overrides,
        device=device,
        loading=loading,
        overwrite=overwrite,
        strict=strict,
        shard=shard,
        engine=engine,
        vocabulary=vocabulary,
    )
    return run.carry_out(on_image=on_image)
