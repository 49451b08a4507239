"""A folder of pictures becomes a folder of masks.

    list -> look up what is done -> open -> answer -> write -> a line of the manifest

A picture that cannot be used is written down among the failures and the rest is done. Nothing of a run grows with the
number of its pictures but what the manifests hold. Who opens, answers and writes is the engine's business
(`side_by_side` here, `on_ray.py` for a cluster); the masks are the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from ifseg_cli.core.errors import ImageError, OutputError, UnfinishedError, counted
from ifseg_cli.core.files import forget, write_json, write_text
from ifseg_cli.core.images.classes import MaskClass, write_classes
from ifseg_cli.core.images.sources import Found, Source
from ifseg_cli.core.prediction.engine import ledger, manifest
from ifseg_cli.core.prediction.engine.batches import answered
from ifseg_cli.core.prediction.engine.job import Job
from ifseg_cli.core.prediction.engine.manifest import Failure, Record, Settled
from ifseg_cli.core.prediction.engine.overlap import ahead
from ifseg_cli.core.prediction.engine.shards import ALL, Shard
from ifseg_cli.core.prediction.engine.summary import Summary
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.prediction.outputs.page import write_page
from ifseg_cli.core.provenance import FILE as PROVENANCE
from ifseg_cli.core.provenance import provenance, read_provenance
from ifseg_cli.core.recipe import PredictionSettings
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary

# On a processor the network takes all cores: a batch is no faster than its pictures, and one thread reads and one
# writes fast enough. (Few are better: a large picture in the making is a gigabyte.)
ON_CPU, ELSEWHERE = (1, 1), (8, 4)  # pictures of a batch; threads that read, and as many that write
Engine = Callable[[Job, Iterable[Source | Settled], Callable[[], bool]], Iterator[Settled]]


def side_by_side(job: Job, items: Iterable[Source | Settled], stopped: Callable[[], bool]) -> Iterator[Settled]:
    """The engine of one process: pictures are read and masks written while the network is busy with another."""
    size, threads = ON_CPU if job.model.device.type == "cpu" else ELSEWHERE
    opened = ahead(job.open, items, threads)
    return ahead(job.write, answered(job, opened, size, stopped), threads)


def predict_images(
    model: Model,
    found: Found,
    out: Path,
    settings: PredictionSettings,
    *,
    overwrite: bool = False,
    strict: bool = False,
    shard: Shard = ALL,
    engine: Engine = side_by_side,
    command: Sequence[str] = (),
    on_image: Callable[[Record | Failure], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Summary:
    """Segment pictures and write masks, overlays, manifest, provenance and page into `out`.

    What an earlier run of the same model and settings has finished there is not done again (`ledger.py`).

    Args:
        model: an adapted model.
        found: from `find_images`, a shard's part of it; faults are failures of the run.
        out: the output folder.
        settings: how to predict, and whether to write more than masks.
        overwrite: begin anew in a folder that is not empty; what an earlier run wrote there is deleted first.
        strict: end with the first picture that cannot be used.
        shard: whose pictures they are; its manifest is its own.
        engine: who does the work.
        command: the command line, for the provenance.
        on_image: called after every picture with its line of the manifest, those that were done before included.
        stopped: asked between pictures; True ends the run early, and what is in the making is finished.

    Returns:
        What the run came to, `interrupted` if it was ended early.

    Raises:
        ImageError: a picture cannot be used, and `strict`.
        OutputError: `out` is taken, or cannot be written to.
        UnfinishedError: the disk refused in the middle; what was done is kept.
    """
    ledger.require_place(out, overwrite)
    classes = mask_classes(model.vocabulary)
    if overwrite:
        manifest.start_anew(out)
    ledger.require_same(out, model.sha256, settings, classes, ledger.words_identity(model.vocabulary))
    begin(model, out, settings, classes, command, shard)
    book, summary, start = ledger.Ledger(out), Summary(model.vocabulary), time.perf_counter()
    job = Job(model, out, settings, ledger.run_identity(model.sha256, settings, classes))
    try:
        for settled in engine(job, look_up(found, book), stopped):
            if not settled.before:
                manifest.append(out, settled.line, shard)
            summary.add(settled.line, settled.before)
            on_image(settled.line)
            if strict and isinstance(settled.line, Failure):
                remedy = f"mend it or leave --strict out ({_standing(summary)}, the same command goes on)"
                raise ImageError(settled.line.error, remedy=remedy)
    except OutputError as error:
        if not isinstance(error.__cause__, OSError):  # not the disk: another picture of this name
            raise
        remedy = "make room, then run the same command again: it goes on"
        raise UnfinishedError(f"{error.found}; {_standing(summary)}, their masks are whole", remedy=remedy) from error
    summary.interrupted = stopped()
    summary.seconds, summary.passed_over = time.perf_counter() - start, found.passed_over
    finish(out, settings, book, summary, shard)
    return summary


def look_up(found: Found, book: ledger.Ledger) -> Iterator[Source | Settled]:
    """Every picture as what it is: to be done, done before, or not to be looked at."""
    for each in found:
        if not isinstance(each, Source):
            yield Settled(Failure(str(each.path), str(each.path.absolute()), each.error))
        elif (record := book.done(each)) is not None:
            yield Settled(record, before=True)
        else:
            yield each


def _standing(summary: Summary) -> str:
    return f"{counted(summary.done, 'picture')} done"


def mask_classes(vocabulary: Vocabulary) -> tuple[MaskClass, ...]:
    """What each value of a mask means."""
    rows = zip(vocabulary.mask_values, vocabulary.names, vocabulary.colours, strict=True)
    return tuple(MaskClass(*row) for row in rows)


def begin(
    model: Model,
    out: Path,
    settings: PredictionSettings,
    classes: Sequence[MaskClass],
    command: Sequence[str],
    shard: Shard,
) -> None:
    """Everything that is known before the first picture is written before it, so that a broken run is explained too."""
    write_classes(out, classes, model.vocabulary.ignore_value)
    facts = provenance(
        command,
        model=str(model.path) if model.path else None,
        model_sha256=model.sha256,
        vocabulary=model.swapped[1] if model.swapped else None,
        words=ledger.words_identity(model.vocabulary),
        device=str(model.device),
        settings=settings.model_dump(mode="json"),
    )
    write_json(out / PROVENANCE, facts)
    own = out / shard.file(manifest.PREDICTIONS)
    if not own.exists():
        write_text(own, "")  # last: with it, all that says what the masks are is there
    manifest.end_whole(own)
    failed = out / shard.file(manifest.FAILURES)
    forget(manifest.manifests(out, manifest.FAILURES) if shard.is_all else [failed])  # they are tried again


def finish(out: Path, settings: PredictionSettings, book: ledger.Ledger, summary: Summary, shard: Shard) -> None:
    """What can be written only when all is done: manifests of one line an image, what was passed over, the page.

    Shards end when they end: each makes the page of all that is there, so the last one's is whole.
    """
    own = out / shard.file(manifest.PREDICTIONS)
    if book.has_old_lines:
        ledger.drop_old_lines(out, manifest.manifests(out) if shard.is_all else [own])
    if shard.is_all:
        ledger.forget_parts(out)
    if summary.passed_over:
        write_json(out / PROVENANCE, read_provenance(out) | {"passed_over": dict(summary.passed_over)})
    if settings.overlay:
        write_page(out)
