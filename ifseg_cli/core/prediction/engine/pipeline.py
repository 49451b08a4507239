"""A folder of pictures becomes a folder of masks.

    for every picture:  decode -> resize -> see -> scores -> smoothing -> up-sample -> write -> a line of the manifest

A picture that cannot be used is written down among the failures and the rest is done. Everything that can be checked is
checked before the first picture.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ifseg_cli.core.errors import ImageError, OutputError, UnfinishedError, counted
from ifseg_cli.core.files import is_about_the_name, write_json, write_text
from ifseg_cli.core.images.classes import MaskClass, write_classes
from ifseg_cli.core.images.sources import Found, Source
from ifseg_cli.core.prediction.engine import ledger, manifest, stages
from ifseg_cli.core.prediction.engine.manifest import CONFIDENCE, Failure, Record
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.prediction.outputs.page import write_page
from ifseg_cli.core.prediction.outputs.writing import planned_files
from ifseg_cli.core.provenance import FILE as PROVENANCE
from ifseg_cli.core.provenance import provenance
from ifseg_cli.core.recipe import PredictionSettings
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary


@dataclass
class Summary:
    """What a run came to, counted as it went."""

    vocabulary: Vocabulary
    done: int = 0
    before: int = 0  # of these, by an earlier run
    ignored: int = 0  # pixels
    seconds: float = 0.0
    interrupted: bool = False  # by the user; what is done is whole
    passed_over: Counter[str] = field(default_factory=Counter[str])  # kind -> files
    failures: list[Failure] = field(default_factory=list[Failure])
    notes: Counter[str] = field(default_factory=Counter[str])  # what was done to pictures -> pictures
    several: int = 0  # pictures of several frames or pages, of which the first was used
    images_with: Counter[str] = field(default_factory=Counter[str])  # category -> images
    pixels_of: Counter[str] = field(default_factory=Counter[str])  # category -> pixels

    def add(self, outcome: Record | Failure) -> None:
        """Count one image."""
        if isinstance(outcome, Failure):
            self.failures.append(outcome)
            return
        self.done += 1
        self.ignored += outcome.ignored
        self.notes.update(outcome.notes)
        self.several += outcome.frames > 1
        self.images_with.update(area.name for area in outcome.classes)
        self.pixels_of.update({area.name: area.pixels for area in outcome.classes})

    @property
    def never_predicted(self) -> tuple[str, ...]:
        """Categories that no pixel got."""
        return tuple(name for name in self.vocabulary.names if not self.pixels_of[name])

    def share(self, name: str) -> float:
        """A category's share of all pixels, ignored ones included, 0..1."""
        return self.pixels_of[name] / max(1, self.pixels_of.total() + self.ignored)


def predict_images(
    model: Model,
    found: Found,
    out: Path,
    settings: PredictionSettings,
    *,
    overwrite: bool = False,
    strict: bool = False,
    command: Sequence[str] = (),
    on_image: Callable[[Record | Failure], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Summary:
    """Segment pictures and write masks, overlays, manifest, provenance and page into `out`.

    What an earlier run of the same model and settings has finished there is not done again (`ledger.py`).

    Args:
        model: an adapted model.
        found: from `find_images`; its faults are failures of the run.
        out: the output folder.
        settings: how to predict, and whether to write more than masks.
        overwrite: begin anew in a folder that is not empty; what an earlier run wrote there is deleted first.
        strict: end with the first picture that cannot be used.
        command: the command line, for the provenance.
        on_image: called after every picture with its line of the manifest, those that were done before included.
        stopped: asked after every picture; True ends the run early.

    Returns:
        What the run came to, `interrupted` if it was ended early.

    Raises:
        ImageError: a picture cannot be used, and `strict`.
        OutputError: `out` is taken, cannot be written to, or would write over an input.
        UnfinishedError: the disk refused in the middle; what was done is kept.
    """
    ledger.require_place(out, overwrite)
    _require_inputs_safe(found.sources, out, settings)
    classes = mask_classes(model.vocabulary)
    before = () if overwrite else ledger.done_before(out, found.sources, model.sha256, settings, classes)
    if overwrite or not (out / manifest.PREDICTIONS).exists():
        manifest.start_anew(out)
    _begin(model, out, settings, found, classes, command)
    summary, start = Summary(model.vocabulary, passed_over=found.passed_over), time.perf_counter()
    for record in before:
        summary.add(record)
        on_image(record)
    summary.before = summary.done
    finished = {record.image for record in before}
    left = replace(found, sources=tuple(each for each in found.sources if each.name.as_posix() not in finished))
    run = ledger.run_identity(model.sha256, settings, classes)
    try:
        for outcome in _outcomes(model, left, out, settings, run):
            manifest.append(out, outcome)
            summary.add(outcome)
            on_image(outcome)
            if strict and isinstance(outcome, Failure):
                done = f"{summary.done} of {counted(len(found.sources), 'picture')} done, the same command goes on"
                raise ImageError(outcome.error, remedy=f"mend it or leave --strict out ({done})")
            if stopped():
                summary.interrupted = True
                break
    except OutputError as error:
        done = f"{summary.done} of {counted(len(found.sources), 'picture')} done, their masks are whole"
        remedy = "make room, then run the same command again: it goes on"
        raise UnfinishedError(f"{error.found}; {done}", remedy=remedy) from error
    summary.seconds = time.perf_counter() - start
    if settings.overlay:
        write_page(out)
    return summary


def _outcomes(
    model: Model, found: Found, out: Path, settings: PredictionSettings, run: str
) -> Iterator[Record | Failure]:
    for fault in found.faults:
        yield Failure(str(fault.path), str(fault.path.absolute()), fault.error)
    for source in found.sources:
        yield predict_one(model, source, out, settings, run)


def predict_one(
    model: Model, source: Source, out: Path, settings: PredictionSettings, run: str = ""
) -> Record | Failure:
    """Read, segment and write one picture; a picture that cannot be used is a `Failure`, not an error.

    Raises:
        OutputError: the disk refused; another picture would fare no better.
    """
    start = time.perf_counter()
    stamp = (*ledger.stamp(source.path), run)  # before it is read: a change while it is read shows the next time
    try:
        picture = stages.read(source.path, settings)
        prepared = stages.prepare(picture.pixels, model.network.pictures, settings)
        found = stages.score(model.network, [prepared], settings)
        prediction = stages.finish(picture, found, 0, model.vocabulary, settings)
        return stages.write(out, source, picture, prediction, settings, time.perf_counter() - start, stamp)
    except ImageError as error:
        return _failure(source, error.message)
    except OutputError as error:
        if not is_about_the_name(error):
            raise
        return _failure(source, f"{error.found}; its results need a name of their own: rename the picture")
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        return _failure(source, f"{source.path} needs more memory than there is; choose a smaller --short-side")


def _failure(source: Source, error: str) -> Failure:
    return Failure(source.name.as_posix(), str(source.path.absolute()), error)


def mask_classes(vocabulary: Vocabulary) -> tuple[MaskClass, ...]:
    """What each value of a mask means."""
    rows = zip(vocabulary.mask_values, vocabulary.names, vocabulary.colours, strict=True)
    return tuple(MaskClass(*row) for row in rows)


def _begin(
    model: Model,
    out: Path,
    settings: PredictionSettings,
    found: Found,
    classes: Sequence[MaskClass],
    command: Sequence[str],
) -> None:
    """Everything that is known before the first picture is written before it, so that a broken run is explained too."""
    write_classes(out, classes, model.vocabulary.ignore_value)
    facts = provenance(
        command,
        model=str(model.path) if model.path else None,
        model_sha256=model.sha256,
        device=str(model.device),
        settings=settings.model_dump(mode="json"),
        images=len(found.sources),
        passed_over=dict(found.passed_over),
    )
    write_json(out / PROVENANCE, facts)
    if not (out / manifest.PREDICTIONS).exists():
        write_text(out / manifest.PREDICTIONS, "")  # last: with it, all that says what the masks are is there


def _require_inputs_safe(sources: Sequence[Source], out: Path, settings: PredictionSettings) -> None:
    inputs = {source.path.resolve() for source in sources}
    if settings.save_confidence and any(source.output.parts[0] == CONFIDENCE for source in sources):
        found = f"the pictures have a folder '{CONFIDENCE}', where confidence is written"
        raise OutputError(found, remedy="rename it, or leave --save-confidence out")
    for source in sources:
        for file in planned_files(source, settings):
            if (out / file).resolve() in inputs:
                found = f"the results of {source.path} would replace the picture {out / file}"
                raise OutputError(found, remedy="choose another --out")
