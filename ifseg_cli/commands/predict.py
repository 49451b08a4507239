"""`ifseg predict`: pictures in, masks out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ifseg_cli.commands import console, options

if TYPE_CHECKING:
    from ifseg_cli.core.prediction.engine.manifest import Failure, Record
    from ifseg_cli.core.prediction.engine.pipeline import Summary
    from ifseg_cli.core.prediction.run import PredictionRun


def predict(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGES", help="Pictures, folders (sub-folders too) or patterns.")
    ],
    model: Annotated[
        Path, typer.Option("--model", "-m", help="What ifseg adapt wrote, or IFSeg's own checkpoint_best.pt.")
    ] = Path("ifseg-model"),
    out: Annotated[Path, typer.Option("--out", "-o", help="Where masks, overlays and the page go.")] = Path("masks"),
    smoothing_iterations: options.SmoothingIterations = None,
    neighbours: options.Neighbours = None,
    threshold: options.Threshold = None,
    short_side: options.ShortSide = None,
    override: options.SetPrediction = None,
    device: options.Device = "auto",
    tokenizer: options.Tokenizer = None,
    size_from_weights: options.SizeFromWeights = False,
    categories: Annotated[
        str | None,
        typer.Option(
            help="For a .pt file that does not name its categories.", show_default=False, rich_help_panel=options.BASE
        ),
    ] = None,
    no_overlay: options.NoOverlay = False,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
) -> int:
    """Segment pictures: a label PNG each, overlays with legend, and a page to look at.

    A mask has the size of its picture; classes.json says what its values mean.
    Pictures that cannot be read are listed in failures.jsonl, the rest is done,
    and the exit code is 3.

    Example:  ifseg predict photos/ --model ifseg-model --out masks
    """
    from ifseg_cli.core.prediction.run import prepare
    from ifseg_cli.core.vocabulary.files import gather_categories

    loading = options.loading(tokenizer, size_from_weights)
    if categories is not None:
        loading = replace(loading, categories=gather_categories(categories)[0])
    run = prepare(
        images,
        model=model,
        out=out,
        overrides=override or (),
        options={
            "smoothing_iterations": smoothing_iterations,
            "neighbours": neighbours,
            "threshold": threshold,
            "short_side": short_side,
            "overlay": False if no_overlay else None,
        },
        device=device,
        loading=loading,
        overwrite=overwrite,
    )
    names = run.model.vocabulary.names
    console.say(f"{len(run.sources)} pictures, {len(names)} categories, {run.model.device_reason}")
    summary = _carry_out(run)
    if as_json:
        _print_json(summary, out)
    _report(summary, out, run.settings.overlay)
    if summary.failures:
        return console.SOME_FAILED if summary.done else console.USER_ERROR
    return console.DONE


def _carry_out(run: PredictionRun) -> Summary:
    from rich.markup import escape

    from ifseg_cli.core.prediction.engine.manifest import Failure

    with console.progress("images") as bar:
        task = bar.add_task("predicting", total=len(run.sources), note="")

        def on_image(outcome: Record | Failure) -> None:
            if isinstance(outcome, Failure):
                console.say_warning(outcome.error)
            bar.update(task, advance=1, note=escape(_one_line(outcome.image)[-40:]))

        return run.carry_out(console.command(), on_image)


def _report(summary: Summary, out: Path, with_page: bool) -> None:
    """The table of categories, and where the results are."""
    from ifseg_cli.core.prediction.outputs.overlay import share_text

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
