"""What `ifseg predict` says at its end, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ifseg_cli.commands import console

NEVER_SHOWN = 10  # names that no pixel got, listed on the terminal; --json has all

if TYPE_CHECKING:
    from ifseg_cli.core.prediction.engine.manifest import Failure, Record
    from ifseg_cli.core.prediction.engine.summary import Summary
    from ifseg_cli.core.prediction.run import PredictionRun


def report(summary: Summary, out: Path, with_page: bool, exports: Sequence[str]) -> None:
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
        if not summary.interrupted and summary.failures:
            console.say_error(f"none of {counted(len(summary.failures), 'picture')} could be used")
        return
    now = summary.done - summary.before
    rate = f"{summary.seconds:.1f} s" + (f", {summary.seconds / now:.2f} s a picture" if now else "")
    earlier = f" ({summary.before} of them before)" if summary.before else ""
    console.err.print(f"{summary.done} done{earlier}, {len(summary.failures)} failed in {rate}")
    console.err.print(f"masks: {out}", markup=False, soft_wrap=True)
    if exports:
        console.err.print(f"also:  {out / 'exports'} ({', '.join(exports)})", markup=False, soft_wrap=True)
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


def announce(run: PredictionRun, pictures: str) -> None:
    """What is about to be done: the first line, and a second where the words are not those the model knows."""
    from ifseg_cli.core.errors import counted

    of_shard = "" if run.shard.is_all else f"shard {run.shard}: "
    names = counted(len(run.model.vocabulary.names), "category")
    console.say(f"{of_shard}{pictures}, {names}, {run.model.device_reason}")
    if run.settings.overlay:
        console.say_undrawable(run.model.vocabulary.names, run.model.vocabulary.mask_values)
    if run.model.swapped:
        found = f"the words are those of {run.model.swapped[1]}, and the model was adapted to others"
        console.say_warning(f"{found}; adapt to these for masks of its full quality")


def print_line(outcome: Record | Failure) -> None:
    """An image as a line of JSON on stdout, as in the manifest."""
    import json
    from dataclasses import asdict

    typer.echo(json.dumps(asdict(outcome)))


def print_summary(summary: Summary, out: Path) -> None:
    """The same as one line of JSON on stdout, after those of the images."""
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
    typer.echo(json.dumps(result))
