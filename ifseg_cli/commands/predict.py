"""`ifseg predict`: pictures in, masks out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ifseg_cli.commands import console, options

NEVER_SHOWN = 10  # names that no pixel got, listed on the terminal; --json has all

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
    keep_transparent: options.KeepTransparent = False,
    accept_truncated: options.AcceptTruncated = False,
    override: options.SetPrediction = None,
    device: options.Device = "auto",
    tokenizer: options.Tokenizer = None,
    size_from_weights: options.SizeFromWeights = False,
    prompt: options.Prompt = None,
    categories: options.OfCheckpoint = None,
    no_overlay: options.NoOverlay = False,
    save_confidence: options.SaveConfidence = False,
    max_pixels: options.MaxPixels = None,
    strict: options.StopAtFailure = False,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
) -> int:
    """Segment pictures: a label PNG each, overlays with legend, and a page to look at.

    A mask has the size of its picture; classes.json says what its values mean.
    Pictures that cannot be read are listed in failures.jsonl, the rest is done,
    and the exit code is 3. The same command again goes on where it stopped.

    Example:  ifseg predict photos/ --model ifseg-model --out masks
    """
    from ifseg_cli.core.errors import counted
    from ifseg_cli.core.prediction.run import prepare
    from ifseg_cli.core.vocabulary.files import gather_categories

    loading = options.loading(tokenizer, size_from_weights, prompt)
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
            "keep_transparent": keep_transparent or None,
            "accept_truncated": accept_truncated or None,
            "overlay": False if no_overlay else None,
            "save_confidence": save_confidence or None,
            "max_pixels": max_pixels,
        },
        device=device,
        loading=loading,
        overwrite=overwrite,
        strict=strict,
    )
    pictures, names = len(run.found.sources), len(run.model.vocabulary.names)
    console.say(f"{counted(pictures, 'picture')}, {counted(names, 'category')}, {run.model.device_reason}")
    summary = _carry_out(run)
    if as_json:
        _print_json(summary, out)
    _report(summary, out, run.settings.overlay)
    if summary.interrupted:
        done = f"interrupted: {summary.done} of {counted(pictures, 'picture')} done, their masks are whole"
        console.say_error(f"{done}; the same command goes on")
        return console.INTERRUPTED
    if summary.failures:
        return console.SOME_FAILED if summary.done else console.USER_ERROR
    return console.DONE


def _carry_out(run: PredictionRun) -> Summary:
    from rich.markup import escape

    from ifseg_cli.core.errors import shown
    from ifseg_cli.core.prediction.engine.manifest import Failure

    with console.stop_on_signal("picture") as stopped, console.progress("images") as bar:
        task = bar.add_task("predicting", total=len(run.found.sources) + len(run.found.faults), note="")

        def on_image(outcome: Record | Failure) -> None:
            if isinstance(outcome, Failure):
                console.say_warning(outcome.error)
            bar.update(task, advance=1, note=escape(shown(outcome.image)[-40:]))

        return run.carry_out(console.command(), on_image, stopped)


def _report(summary: Summary, out: Path, with_page: bool) -> None:
    """The table of categories, what was left out or done to pictures, and where the results are."""
    from ifseg_cli.core.errors import counted, listed
    from ifseg_cli.core.pages.environment import share_text

    names = sorted(summary.pixels_of, key=lambda name: -summary.pixels_of[name])
    rows = [[name, str(summary.images_with[name]), share_text(summary.share(name))] for name in names]
    if rows:
        right = {"justify": "right"}
        columns = ["category", ("images", right), ("share of pixels", right)]
        console.err.print(console.table(None, columns, rows))
    if summary.done and summary.never_predicted:
        console.say_warning(f"never predicted: {listed(summary.never_predicted, NEVER_SHOWN)}")
    for line in _remarks(summary):
        console.err.print(line, markup=False, soft_wrap=True)
    if not summary.done:
        if not summary.interrupted:
            console.say_error(f"none of {counted(len(summary.failures), 'picture')} could be used")
        return
    now = summary.done - summary.before
    rate = f"{summary.seconds:.1f} s" + (f", {summary.seconds / now:.2f} s a picture" if now else "")
    earlier = f" ({summary.before} of them before)" if summary.before else ""
    console.err.print(f"{summary.done} done{earlier}, {len(summary.failures)} failed in {rate}")
    console.err.print(f"masks: {out}", markup=False, soft_wrap=True)
    if with_page:
        console.err.print(f"look:  {out / 'index.html'}", markup=False, soft_wrap=True)


def _remarks(summary: Summary) -> list[str]:
    """One line each: files passed over, pictures that were stretched, cut off, or of several pages."""
    from ifseg_cli.core.errors import counted
    from ifseg_cli.core.images.decode import CUT_OFF, STRETCHED
    from ifseg_cli.core.images.opening import HEIF_PLUGIN, HEIF_SUFFIXES
    from ifseg_cli.core.images.sources import told

    lines: list[str] = []
    if summary.passed_over.total():
        heif = any(summary.passed_over[suffix.removeprefix(".")] for suffix in HEIF_SUFFIXES)
        hint = f" (pip install {HEIF_PLUGIN} reads heic)" if heif else ""
        lines.append(f"passed over: {told(summary.passed_over)}{hint}")
    if number := summary.notes[STRETCHED]:
        lines.append(f"{counted(number, 'picture')} of 16 or 32 bits used a small part of their range: stretched")
    if number := summary.notes[CUT_OFF]:
        lines.append(f"{counted(number, 'picture')} cut off, used as far as they go")
    if summary.several:
        lines.append(f"{counted(summary.several, 'picture')} of several frames or pages: the first was used")
    return lines


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
        "done_before": summary.before,
        "failed": [asdict(failure) for failure in summary.failures],
        "passed_over": dict(summary.passed_over),
        "notes": dict(summary.notes),
        "of_several_frames": summary.several,
        "seconds": round(summary.seconds, 3),
        "classes": classes,
        "ignored_pixels": summary.ignored,
        "never_predicted": list(summary.never_predicted),
    }
    typer.echo(json.dumps(result, indent=2))
