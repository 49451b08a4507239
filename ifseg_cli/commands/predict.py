"""`ifseg predict`: pictures in, masks out."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ifseg_cli.commands import console, options, predict_pipe, predict_progress, predict_report, prediction_options

if TYPE_CHECKING:
    from ifseg_cli.core.prediction.run import PredictionRun


def predict(
    images: Annotated[
        list[str], typer.Argument(metavar="IMAGES", help="Pictures, folders (sub-folders too) or patterns; - is stdin.")
    ],
    model: Annotated[
        Path, typer.Option("--model", "-m", help="What ifseg adapt wrote, or IFSeg's own checkpoint_best.pt.")
    ] = Path("ifseg-model"),
    out: Annotated[Path, typer.Option("--out", "-o", help="Where masks, overlays and the page go.")] = Path("masks"),
    smoothing_iterations: prediction_options.SmoothingIterations = None,
    neighbours: prediction_options.Neighbours = None,
    spare_small: prediction_options.SpareSmall = False,
    refine: prediction_options.Refine = None,
    threshold: prediction_options.Threshold = None,
    short_side: prediction_options.ShortSide = None,
    mode: prediction_options.Mode = None,
    scales: prediction_options.Scales = None,
    flip: prediction_options.Flip = False,
    keep_transparent: prediction_options.KeepTransparent = False,
    accept_truncated: prediction_options.AcceptTruncated = False,
    override: prediction_options.SetPrediction = None,
    device: options.Device = "auto",
    tokenizer: options.Tokenizer = None,
    size_from_weights: options.SizeFromWeights = False,
    prompt: options.Prompt = None,
    base: options.BaseOfUpdate = None,
    vocabulary: options.Vocabulary = None,
    categories: options.OfCheckpoint = None,
    no_overlay: prediction_options.NoOverlay = False,
    save_confidence: prediction_options.SaveConfidence = False,
    save_probabilities: prediction_options.SaveProbabilities = False,
    export: prediction_options.Export = None,
    max_pixels: prediction_options.MaxPixels = None,
    strict: options.StopAtFailure = False,
    watch: options.Watch = False,
    shard: options.Shard = None,
    engine: options.Engine = "local",
    overwrite: options.Overwrite = False,
    as_json: options.AsJsonLines = False,
) -> int:
    """Segment pictures: a label PNG each, overlays with legend, and a page to look at.

    A mask has the size of its picture; classes.json says what its values mean.
    Pictures that cannot be read are listed in failures.jsonl, the rest is done,
    and the exit code is 3. The same command again goes on where it stopped.

    Example:  ifseg predict photos/ --model ifseg-model --out masks
    In a pipe:  ifseg predict - < photo.jpg > mask.png
    """
    settings = prediction_options.given(locals())
    from ifseg_cli.core.prediction.engine.shards import choose_shard
    from ifseg_cli.core.prediction.run import prepare
    from ifseg_cli.core.vocabulary.files import gather_categories

    loading = options.loading(tokenizer, size_from_weights, prompt, base=base)
    if categories is not None:
        loading = replace(loading, categories=gather_categories(categories)[0])
    how = predict_pipe.How(model, override or (), settings, device, loading, vocabulary)
    if predict_pipe.STDIN in images:
        return predict_pipe.mask_of_stdin(how, alone=images == [predict_pipe.STDIN] and not (as_json or watch))
    run = prepare(
        images,
        **how.as_arguments(),
        out=out,
        overwrite=overwrite,
        strict=strict,
        shard=choose_shard(shard, os.environ),
        engine=engine,
        may_come_later=watch,
    )
    return _carry_out(run, watch, as_json)


def _carry_out(run: PredictionRun, watch: bool, as_json: bool) -> int:
    """Do what was prepared, and tell of it."""
    count = predict_progress.Count(run.found)
    predict_report.announce(run, count.told())
    summary = predict_progress.carry_out(run, count, watch, predict_report.print_line if as_json else None)
    if as_json:
        predict_report.print_summary(summary, run.out)
    exports = () if summary.interrupted else run.settings.export
    predict_report.report(summary, run.out, run.settings.overlay, exports)
    if summary.interrupted and not watch:
        console.say_error(f"interrupted: {summary.done} of {count.told()} done, all whole; the same command goes on")
        return console.INTERRUPTED
    if summary.failures:
        return console.SOME_FAILED if summary.done else console.USER_ERROR
    return console.DONE
