"""One picture's way in three steps: open, answer, write. Any thread, process or machine can take any of them.

A picture that cannot be used is settled at the step at which that showed, and passes the others untouched.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from ifseg_cli.core.errors import ImageError, OutputError
from ifseg_cli.core.files import is_about_the_name
from ifseg_cli.core.images.decode import Photograph
from ifseg_cli.core.images.sources import Source
from ifseg_cli.core.prediction.engine import ledger, stages
from ifseg_cli.core.prediction.engine.manifest import CONFIDENCE, EXPORTS, Failure, Settled
from ifseg_cli.core.prediction.method.segment import GridValues
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.prediction.outputs.prediction import Prediction
from ifseg_cli.core.prediction.outputs.writing import planned_files
from ifseg_cli.core.recipe import PredictionSettings


@dataclass(frozen=True, eq=False)
class Opened:
    """A picture that was read and brought to the network's size."""

    source: Source
    stamp: tuple[int, int]  # of the file as it was before it was read
    picture: Photograph
    prepared: tuple[Tensor, ...]  # (1, 3, H', W') on the CPU, one a scale
    seconds: float

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width of what the network will see: pictures of one shape can share a batch."""
        return tuple(self.prepared[0].shape[2:])


@dataclass(frozen=True, eq=False)
class Answered:
    """A picture with its answer, ready to be written."""

    source: Source
    stamp: tuple[int, int]
    picture: Photograph
    prediction: Prediction
    seconds: float


@dataclass(frozen=True, eq=False)
class Job:
    """What is done to every picture of a run.

    Args:
        model: an adapted model.
        out: the output folder.
        settings: how to predict, and what to write.
        run: hash of all that decides what a mask shows, besides the image (`ledger.run_identity`).
    """

    model: Model
    out: Path
    settings: PredictionSettings
    run: str = ""

    def open(self, source: Source) -> Opened | Settled:
        """Read a picture and bring it to the network's size."""
        start = time.perf_counter()
        stamp = ledger.stamp(source.path)  # before it is read: a change while it is read shows the next time
        try:
            self._require_safe(source)
            picture = stages.read(source.path, self.settings)
            prepared = stages.prepare(picture.pixels, self.model.network.pictures, self.settings)
        except ImageError as error:
            return _failed(source, error.message)
        except MemoryError:
            return _too_large(source)
        return Opened(source, stamp, picture, prepared, time.perf_counter() - start)

    def answer(self, batch: Sequence[Opened]) -> Iterator[Answered | Settled]:
        """Segment pictures of one prepared size; where memory is short for all at once, one by one."""
        start = time.perf_counter()
        try:
            found = stages.score(self.model.network, [each.prepared for each in batch], self.settings)
        except (MemoryError, RuntimeError) as error:
            if not _is_about_memory(error):
                raise
            if len(batch) == 1:
                yield _too_large(batch[0].source)
                return
            found = None
        if found is None:
            for each in batch:
                yield from self.answer([each])
            return
        spent = (time.perf_counter() - start) / len(batch)
        for index, each in enumerate(batch):
            yield self._finish(each, found, index, each.seconds + spent)

    def _finish(self, opened: Opened, found: GridValues, index: int, seconds: float) -> Answered | Settled:
        start = time.perf_counter()
        try:
            made = stages.finish(opened.picture, found, index, self.model.vocabulary, self.settings)
        except (MemoryError, RuntimeError) as error:
            if not _is_about_memory(error):
                raise
            return _too_large(opened.source)
        seconds += time.perf_counter() - start
        return Answered(opened.source, opened.stamp, opened.picture, made, seconds)

    def write(self, answered: Answered) -> Settled:
        """Write a picture's files; gives its line of the manifest.

        Raises:
            OutputError: the disk refused; another picture would fare no better.
        """
        start = time.perf_counter()
        source, stamp = answered.source, (*answered.stamp, self.run)
        try:
            record = stages.write(self.out, source, answered.picture, answered.prediction, self.settings, 0.0, stamp)
        except OutputError as error:
            if not is_about_the_name(error):
                raise
            return _failed(source, f"{error.found}; its results need a name of their own: rename the picture")
        return Settled(replace(record, seconds=round(answered.seconds + time.perf_counter() - start, 3)))

    def do(self, source: Source) -> Settled:
        """All of it for one picture.

        Raises:
            OutputError: as `write`.
        """
        opened = self.open(source)
        if isinstance(opened, Settled):
            return opened
        answered = next(iter(self.answer([opened])))
        return answered if isinstance(answered, Settled) else self.write(answered)

    def _require_safe(self, source: Source) -> None:
        """Refuse a picture whose results would take its own place, or that of another's."""
        taken = {CONFIDENCE: self.settings.save_confidence, EXPORTS: bool(self.settings.export)}
        if taken.get(folder := source.output.parts[0]):
            found = f"{source.path} lies in a folder '{folder}', where results are written"
            option = "--save-confidence" if folder == CONFIDENCE else "--export"
            raise ImageError(found, remedy=f"rename it, or leave {option} out")
        real = source.path.resolve()
        for file in planned_files(source, self.settings):
            if (self.out / file).resolve() == real:
                found = f"the results of {source.path} would replace it"
                raise ImageError(found, remedy="choose another --out")


def _failed(source: Source, error: str) -> Settled:
    return Settled(Failure(source.name.as_posix(), str(source.path.absolute()), error))


def _is_about_memory(error: MemoryError | RuntimeError) -> bool:
    return isinstance(error, MemoryError) or "memory" in str(error)


def _too_large(source: Source) -> Settled:
    return _failed(source, f"{source.path} needs more memory than there is; choose a smaller --short-side")
