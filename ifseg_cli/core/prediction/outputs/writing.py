"""What is written for one image, and where: nothing outside the output folder, every file whole or not at all.

    <name>.png               the mask, sub-folders as in the input
    overlays/<name>.jpg      photograph, colours, names, legend
    thumbnails/<name>.*      what the page shows: a small photograph, a small label map
    confidence/<name>.png    of every pixel, 0..255 for 0..1; where it is asked for
    probabilities/<name>.safetensors  of every category in every cell; where they are asked for

Masks and confidence alone end in .png, so even with an input folder called `overlays` or `thumbnails` nothing writes
over another; one called `confidence` or `exports` is refused where these are asked for.
"""

from __future__ import annotations

from pathlib import Path, PurePath

from PIL import Image

from ifseg_cli.core.files import atomic
from ifseg_cli.core.images.masks import count_labels
from ifseg_cli.core.images.sources import Source
from ifseg_cli.core.prediction.engine.manifest import CONFIDENCE, PROBABILITIES, ClassArea, Record
from ifseg_cli.core.prediction.outputs import thumbnails
from ifseg_cli.core.prediction.outputs.prediction import Prediction
from ifseg_cli.core.recipe import PredictionSettings


def write_results(
    out: Path, source: Source, prediction: Prediction, settings: PredictionSettings, seconds: float
) -> Record:
    """Write the files of one image.

    Returns:
        Its line of the manifest.

    Raises:
        OutputError: a file cannot be written.
    """
    name = source.output
    mask = PurePath(f"{name}.png")
    overlay_path, small = None, None
    confidence = PurePath(CONFIDENCE, mask) if settings.save_confidence else None
    if confidence is not None:
        _save(out / confidence, prediction.confidence_image())
    probabilities = None
    if settings.save_probabilities:
        probabilities = PurePath(PROBABILITIES, f"{name}.safetensors")
        prediction.save_probabilities(out / probabilities)
    if settings.overlay:
        overlay_path = PurePath("overlays", f"{name}.jpg")
        _save(out / overlay_path, prediction.overlay())
        small = thumbnails.write_thumbnails(out, name, prediction)
    _save(out / mask, prediction.mask())  # last: where a mask lies, its picture is done
    height, width = prediction.labels.shape
    counts, ignored = count_labels(prediction.labels, len(prediction.names))
    return Record(
        image=source.name.as_posix(),
        path=str(source.path.absolute()),
        width=width,
        height=height,
        mask=mask.as_posix(),
        overlay=overlay_path.as_posix() if overlay_path else None,
        thumbnails=small,
        classes=class_areas(prediction, counts),
        ignored=ignored,
        confidence=round(float(prediction.confidence.mean(dtype="float64")), 6),
        seconds=round(seconds, 3),
        confidence_map=confidence.as_posix() if confidence else None,
        probabilities=probabilities.as_posix() if probabilities else None,
    )


def class_areas(prediction: Prediction, counts: tuple[int, ...]) -> tuple[ClassArea, ...]:
    """The categories present, largest first."""
    total = prediction.labels.size
    present = sorted((i for i, count in enumerate(counts) if count), key=lambda i: -counts[i])
    return tuple(
        ClassArea(prediction.names[i], prediction.mask_values[i], counts[i], round(counts[i] / total, 6))
        for i in present
    )


def planned_files(source: Source, settings: PredictionSettings) -> tuple[PurePath, ...]:
    """Relative paths of everything `write_results` may write for an image."""
    name = source.output
    files = [PurePath(f"{name}.png")]
    if settings.overlay:
        files += [PurePath("overlays", f"{name}.jpg"), *thumbnails.paths(name).values()]
    if settings.save_confidence:
        files.append(PurePath(CONFIDENCE, f"{name}.png"))
    if settings.save_probabilities:
        files.append(PurePath(PROBABILITIES, f"{name}.safetensors"))
    return tuple(files)


def _save(path: Path, image: Image.Image) -> None:
    with atomic(path) as file:
        if path.suffix == ".png":
            image.save(file, format="PNG")
        else:
            image.save(file, format="JPEG", quality=90, subsampling=0)
