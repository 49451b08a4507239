"""`ifseg predict`: a folder of pictures becomes a folder of masks and a page to look at."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ifseg_cli.commands import console

if TYPE_CHECKING:
    from ifseg_cli.core.prediction.images import Source
    from ifseg_cli.core.prediction.manifest import Failure, Record
    from ifseg_cli.core.prediction.model import Model
    from ifseg_cli.core.prediction.pipeline import Summary
    from ifseg_cli.core.prediction.settings import PredictionSettings


def predict(
    images: Annotated[
        list[str],
        typer.Argument(
            help="Pictures, folders (with sub-folders) or quoted patterns.", metavar="IMAGES...", show_default=False
        ),
    ],
    model: Annotated[
        Path, typer.Option(help="The folder that ifseg adapt wrote, or IFSeg's own checkpoint_best.pt.")
    ] = Path("ifseg-model"),
    out: Annotated[Path, typer.Option(help="Where masks, overlays and the page go.")] = Path("masks"),
    smoothing_iterations: Annotated[
        int, typer.Option(help="Rounds of averaging over look-alike cells; 0 keeps small things and rough edges.")
    ] = 25,
    neighbours: Annotated[int, typer.Option(help="Look-alikes averaged in a round, the cell itself included.")] = 3,
    threshold: Annotated[float, typer.Option(help="Pixels less confident than this (0 to 1) are marked ignore.")] = 0.0,
    short_side: Annotated[
        int | None, typer.Option(help="Pixels of the short side that the model sees.", show_default="the model's")
    ] = None,
    no_overlay: Annotated[bool, typer.Option("--no-overlay", help="Masks alone: no overlays, no page.")] = False,
    categories: Annotated[
        str | None, typer.Option(help="For a .pt file that does not name its categories.", show_default=False)
    ] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="Folder or file of a .pt file's tokenizer, if not beside it.", show_default=False),
    ] = None,
    size_from_weights: Annotated[
        bool, typer.Option("--size-from-weights", help="Go on where a file's settings disagree with its weights.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write into a folder that is not empty.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON on stdout.")] = False,
) -> int:
    """Segment pictures: a label PNG each, overlays with legend, and a page to look at.

    A mask has the size of its picture; classes.json says what its values mean.
    Pictures that cannot be read are listed in failures.jsonl, the rest is done,
    and the exit code is 3.

    Example:  ifseg predict photos/ --model ifseg-model --out masks
    """
    from ifseg_cli.core.checkpoint.layout import LoadOptions
    from ifseg_cli.core.files import require_new
    from ifseg_cli.core.prediction.images import find_images
    from ifseg_cli.core.prediction.settings import PredictionSettings
    from ifseg_cli.core.vocabulary.files import gather_categories

    settings = PredictionSettings(
        smoothing_iterations=smoothing_iterations,
        neighbours=neighbours,
        threshold=threshold,
        short_side=short_side,
        overlay=not no_overlay,
    )
    require_new(out, overwrite)
    sources = find_images(images, exclude=out)
    chosen = gather_categories(categories, ())[0] if categories is not None else None
    loading = LoadOptions(tokenizer, size_from_weights, categories=chosen)

    from ifseg_cli.core.prediction.model import Model  # torch from here on: what can be checked without it has been

    loaded = Model.load(model, device, loading)
    console.say(f"{len(sources)} pictures, {len(loaded.vocabulary.names)} categories, {loaded.device_reason}")
    summary = _run(loaded, sources, out, settings, overwrite)
    if as_json:
        _print_json(summary, out)
    _report(summary, out, settings.overlay)
    if summary.failures:
        return console.SOME_FAILED if summary.done else console.USER_ERROR
    return console.DONE


def _run(
    model: Model, sources: tuple[Source, ...], out: Path, settings: PredictionSettings, overwrite: bool
) -> Summary:
    from rich.markup import escape

    from ifseg_cli.core.prediction.manifest import Failure
    from ifseg_cli.core.prediction.pipeline import predict_images

    with console.progress("images") as bar:
        task = bar.add_task("predicting", total=len(sources), note="")

        def on_image(outcome: Record | Failure) -> None:
            if isinstance(outcome, Failure):
                console.say_warning(outcome.error)
            bar.update(task, advance=1, note=escape(_one_line(outcome.image)[-40:]))

        return predict_images(
            model, sources, out, settings, overwrite=overwrite, command=["ifseg", *sys.argv[1:]], on_image=on_image
        )


def _report(summary: Summary, out: Path, with_page: bool) -> None:
    """The table of categories, and where the results are."""
    from ifseg_cli.core.prediction.overlay import share_text

    names = sorted(summary.pixels_of, key=lambda name: -summary.pixels_of[name])
    rows = [[name, str(summary.images_with[name]), share_text(summary.share(name))] for name in names]
    if rows:
        right = {"justify": "right"}
        columns = ["category", ("images", right), ("share of pixels", right)]
        console.err.print(console.table(None, columns, rows))
    if summary.done and summary.never_predicted:
        console.say_warning(f"never predicted: {', '.join(summary.never_predicted)}")
    if not summary.done:
        console.say_error(f"none of the {len(summary.failures)} pictures could be used")
        return
    rate = f"{summary.seconds:.1f} s, {summary.seconds / summary.done:.2f} s a picture"
    console.err.print(f"{summary.done} done, {len(summary.failures)} failed in {rate}")
    console.err.print(f"masks: {out}", markup=False, soft_wrap=True)
    if with_page:
        console.err.print(f"look:  {out / 'index.html'}", markup=False, soft_wrap=True)


def _print_json(summary: Summary, out: Path) -> None:
    import json
    from dataclasses import asdict

    names = summary.vocabulary.names
    classes = [
        {
            "name": name,
            "value": value,
            "images": summary.images_with[name],
            "pixels": summary.pixels_of[name],
            "share": round(summary.share(name), 6),
        }
        for name, value in zip(names, summary.vocabulary.mask_values, strict=True)
    ]
    result = {
        "out": str(out),
        "done": summary.done,
        "failed": [asdict(failure) for failure in summary.failures],
        "seconds": round(summary.seconds, 3),
        "classes": classes,
        "ignored_pixels": summary.ignored,
        "never_predicted": list(summary.never_predicted),
    }
    typer.echo(json.dumps(result, indent=2))


def _one_line(text: str) -> str:
    """A file name may hold anything; on the terminal it is printable and one line."""
    return "".join(character if character.isprintable() else "?" for character in text)
