"""Where a run stands: what of a folder is done, so that the same command goes on where an earlier one stopped.

An image is done if the manifest has its line, its mask is there, and the file it was made from has kept its size and
time. All that is not done is done again, failures too. Masks of another model, of other settings or of other pictures
are never mixed with these: the folder is refused, and what differs is named.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ifseg_cli.core.errors import OutputError, counted
from ifseg_cli.core.files import forget, require_new, sha256_of, write_text
from ifseg_cli.core.images.classes import CLASSES, MaskClass, read_classes
from ifseg_cli.core.images.sources import Source
from ifseg_cli.core.prediction.engine.manifest import FAILURES, PREDICTIONS, Record, read_records
from ifseg_cli.core.provenance import FILE as PROVENANCE
from ifseg_cli.core.provenance import read_provenance
from ifseg_cli.core.recipe import PredictionSettings

CHANGE_NO_MASK = ("max_pixels", "accept_truncated")  # settings that decide what fails, not what a mask shows
BEGUN = (CLASSES, PROVENANCE, PREDICTIONS)  # what a run writes before its first picture
REMEDY = "say --overwrite, or choose another --out"


def require_place(out: Path, overwrite: bool) -> None:
    """Refuse a folder that holds anything but an earlier run, as far as can be told before the model is read.

    Raises:
        OutputError: it holds something else.
    """
    if (out / PREDICTIONS).is_file() and (out / PROVENANCE).is_file():
        return
    begun = out.is_dir() and all(each.name in BEGUN or _is_part(each) for each in out.iterdir())
    if not begun:  # a run that was killed before its first picture leaves no more than that
        require_new(out, overwrite)


def run_identity(model_sha256: str, settings: PredictionSettings, classes: Sequence[MaskClass]) -> str:
    """A short hash of all that decides what a mask shows, besides the image."""
    parts = [model_sha256, _deciding(settings.model_dump(mode="json")), [[each.value, each.name] for each in classes]]
    return sha256_of(parts)[:16]


def done_before(
    out: Path, sources: Sequence[Source], model_sha256: str, settings: PredictionSettings, classes: Sequence[MaskClass]
) -> tuple[Record, ...]:
    """What an earlier run of the same kind has finished; the manifest is brought to exactly that.

    Args:
        out: the output folder, perhaps not there yet.
        sources: the images of this run.
        model_sha256: of this run's model.
        settings: of this run.
        classes: what this run's masks show.

    Raises:
        OutputError: the folder holds masks of another model, other settings or other pictures.
    """
    if not (out / PREDICTIONS).is_file():
        return ()
    _require_same(out, model_sha256, settings, classes)
    records = list(read_records(out))
    by_image = {source.name.as_posix(): source for source in sources}
    _require_same_pictures(out, records, by_image)
    done = [each for each in records if _is_done(out, each, by_image.get(each.image))]
    kept = {id(each) for each in done}
    stale = [out / file for each in records if id(each) not in kept for file in each.files()]
    inside = out.resolve()
    # Before their lines go: a run that is killed here finds masks missing, never old ones without a line.
    forget([each for each in stale if inside in each.resolve().parents])  # a manifest from elsewhere deletes nothing
    write_text(out / PREDICTIONS, "".join(json.dumps(asdict(each)) + "\n" for each in done))
    forget([out / FAILURES, *(each for each in out.rglob(".*") if _is_part(each))])
    return tuple(done)


def stamp(path: Path) -> tuple[int, int]:
    """Size in bytes and time of change in nanoseconds; zeros for a file that cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _is_part(path: Path) -> bool:
    """Whether it is a file that a killed run left half-written, under the name it has until it is whole."""
    return path.name.startswith(".ifseg-") and ".part" in path.suffixes and path.is_file()


def _is_done(out: Path, record: Record, source: Source | None) -> bool:
    if not (out / record.mask).is_file():
        return False
    return source is None or (record.size, record.mtime) == stamp(source.path)


def _require_same(out: Path, model_sha256: str, settings: PredictionSettings, classes: Sequence[MaskClass]) -> None:
    made = read_provenance(out)
    if made.get("model_sha256") != model_sha256:
        raise OutputError(f"{out} holds masks of another model, {made.get('model')}", remedy=REMEDY)
    now, then = _deciding(settings.model_dump(mode="json")), _deciding(made.get("settings") or {})
    if other := [f"{key} was {then.get(key)}, is {now[key]}" for key in now if key in then and then[key] != now[key]]:
        raise OutputError(f"{out} holds masks made with other settings: {', '.join(other)}", remedy=REMEDY)
    held = [(each.value, each.name) for each in read_classes(out) or ()]
    if held != [(each.value, each.name) for each in classes]:
        raise OutputError(f"{out} holds masks of other categories", remedy=REMEDY)


def _require_same_pictures(out: Path, records: Sequence[Record], by_image: dict[str, Source]) -> None:
    """Two pictures of one name never share a mask: not within a run, and not in two."""
    others = [
        each for each in records if each.image in by_image and each.path != str(by_image[each.image].path.absolute())
    ]
    if others:
        found = f"{out} holds masks of {counted(len(others), 'other picture')} by the same name, {others[0].path} first"
        raise OutputError(found, remedy=REMEDY)


def _deciding(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in CHANGE_NO_MASK}
