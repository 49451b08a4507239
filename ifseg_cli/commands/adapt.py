"""`ifseg adapt`: words in, an adapted model out."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from ifseg_cli.commands import console

if TYPE_CHECKING:
    from ifseg_cli.commands.starting import Start
    from ifseg_cli.core.adaptation.loop import Samples, Saving
    from ifseg_cli.core.adaptation.result import Origin

PRECISIONS = ("exact", "fp16")


def adapt(
    categories: Annotated[
        str | None, typer.Option("--categories", "-c", help="Category file (one a line), or a shipped list's name.")
    ] = None,
    category: Annotated[list[str] | None, typer.Option("--category", help="One category; repeat for more.")] = None,
    base: Annotated[
        str, typer.Option(help="What to start from: builtin, a folder, a .pt file, ofa-base or OWNER/NAME.")
    ] = "builtin",
    recipe: Annotated[
        str | None, typer.Option(help="Recipe by name (default, quick, ...) or YAML file; else the base's own.")
    ] = None,
    override: Annotated[
        list[str] | None, typer.Option("--set", help="Replace a value of the recipe: optimiser.steps=200.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the adapted model.")] = Path("ifseg-model"),
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="Folder or file of the base's tokenizer, if it is not beside it.", show_default=False),
    ] = None,
    size_from_weights: Annotated[
        bool, typer.Option("--size-from-weights", help="Go on where a file's settings disagree with its weights.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never touch the network.")] = False,
    save: Annotated[
        str, typer.Option(help="Precision of the saved weights: exact, or fp16 (half the size).")
    ] = "exact",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an earlier run in --out stopped.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the model in --out.")] = False,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Take names the base does not know, with a warning.")
    ] = False,
) -> int:
    """Adapt a base to your categories, without any image.

    Draws artificial images (grids of your words) and trains the base to read them back. The result is a folder for
    ifseg predict --model.

    Example:  ifseg adapt --categories cats.txt

    Example:  ifseg adapt --category cat --category dog --category grass --out pets

    Example:  ifseg adapt --categories ade20k --base ofa-base
    """
    _check_out(out, resume, overwrite)
    from ifseg_cli.commands.starting import start
    from ifseg_cli.core.checkpoint.layout import LoadOptions
    from ifseg_cli.core.device import pick_device
    from ifseg_cli.core.errors import IfsegError

    if save not in PRECISIONS:
        raise IfsegError(f"--save {save}", " or ".join(PRECISIONS))

    chosen, reason = pick_device(device)
    run = start(
        categories=categories,
        names=category or [],
        base=base,
        recipe=recipe,
        overrides=override or [],
        allow_unknown=allow_unknown,
        device=chosen,
        loading=LoadOptions(tokenizer, size_from_weights, offline),
    )
    for warning in run.warnings:
        console.say_warning(warning)
    run = replace(run, base=replace(run.base, half=save == "fp16"))
    return _adapt(run, run.base.origin or base, reason, out, resume)


def _check_out(out: Path, resume: bool, overwrite: bool) -> None:
    """Refuse to lose an earlier result or run, and to go on with one that is not there."""
    from ifseg_cli.core.errors import OutputError

    finished, begun = (out / "config.json").exists(), (out / "checkpoint.safetensors").exists()
    if resume and overwrite:
        raise OutputError("both --resume and --overwrite", remedy="leave one out")
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file", "a folder", "choose another --out")
    if resume and not begun:
        state = "is finished already" if finished else "has no checkpoint"
        raise OutputError(f"{out} {state}", "an interrupted run", "leave out --resume, or choose another --out")
    if resume or overwrite:
        return
    if begun:
        raise OutputError(
            f"{out} holds an interrupted run", remedy="say --resume to go on, or --overwrite to start anew"
        )
    if out.is_dir() and any(out.iterdir()):
        raise OutputError(f"{out} exists already", remedy="choose another --out, or say --overwrite")


def _adapt(run: Start, base: str, reason: str, out: Path, resume: bool) -> int:
    """Introduce, adapt under a progress bar, save."""
    from ifseg_cli.core.adaptation.log import TrainLog
    from ifseg_cli.core.adaptation.loop import Step, adapt
    from ifseg_cli.core.adaptation.result import LOG, Origin, save_result
    from ifseg_cli.core.adaptation.resume import FILE, updates_done

    origin = Origin(base, run.base.weights_sha256(), run.recipe_name, reason)
    saving = _saving(run, origin, out / FILE, resume)
    first = updates_done(out / FILE) if resume else 0
    if not resume:
        (out / FILE).unlink(missing_ok=True)
    samples = run.samples()
    _introduce(run, samples, reason, first)
    out.mkdir(parents=True, exist_ok=True)
    optimiser = run.recipe.optimiser
    log = TrainLog(out / LOG, run.recipe.saving.log_every, optimiser.steps, first)
    begin = time.perf_counter()
    with _stop_on_signal() as stopped, console.progress("steps") as bar:
        task = bar.add_task("adapting", total=optimiser.steps, completed=first, note="")

        def on_step(step: Step) -> None:
            log.add(step)
            bar.update(task, completed=step.number, note=f"loss {step.loss:.3f}")

        finished = adapt(run.base.segmenter, samples, run.recipe, on_step, saving, stopped)
    if not finished:
        console.say_error(f"interrupted; the same command with --resume goes on from {out}")
        return console.INTERRUPTED
    seconds = time.perf_counter() - begin
    save_result(out, run.base, run.recipe, origin, seconds)
    console.say(f"done in {console.duration(seconds)}, {(optimiser.steps - first) / seconds:.2f} steps/s")
    console.say(
        f"model in [bold]{console.escape(str(out))}[/]; next: ifseg predict PICTURES --model {console.escape(str(out))}"
    )
    return console.DONE


def _saving(run: Start, origin: Origin, path: Path, resume: bool) -> Saving:
    """Where checkpoints go, and what a resumed run must share with the first: recipe, words, base."""
    import hashlib
    import json

    from ifseg_cli.core.adaptation.loop import Saving

    words = json.dumps(run.vocabulary.to_json(), sort_keys=True)
    identity = {
        "recipe": run.recipe.model_dump(mode="json"),
        "categories": hashlib.sha256(words.encode()).hexdigest(),
        "base": origin.base_sha256,
    }
    return Saving(path, identity, resume)


def _introduce(run: Start, samples: Samples, reason: str, first: int) -> None:
    from ifseg_cli.core.adaptation.estimate import seconds_per_sample

    optimiser, images, names = run.recipe.optimiser, run.images, run.vocabulary.names
    seconds = seconds_per_sample(run.base.segmenter, samples)
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    rows = [("base", run.base.title)] if run.base.title else []
    rows += [
        ("categories", f"{len(names)}: {', '.join(names[:6])}{more}"),
        ("recipe", f"{run.recipe_name}: {run.recipe.description}"),
        ("images", f"{images.grid} x {images.grid} cells, layout {images.layout}; labels {images.target_size} px"),
        (
            "steps",
            f"{optimiser.steps} of {optimiser.batch_size} artificial images" + (f", {first} done" if first else ""),
        ),
        ("device", reason),
        ("expected", f"about {console.duration((optimiser.steps - first) * optimiser.batch_size * seconds)}"),
    ]
    console.err.print(console.table(None, [("", {"style": "bold"}), ("", {"overflow": "fold"})], rows, header=False))


@contextmanager
def _stop_on_signal() -> Generator[Callable[[], bool]]:
    """The first Ctrl-C (or SIGTERM) lets the step at hand end and be saved; the second one stops at once."""
    caught: list[int] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)
        console.say("[yellow]stopping after this step; once more to stop at once[/]")

    earlier = {each: signal.signal(each, on_signal) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(caught)
    finally:
        for each, handler in earlier.items():
            signal.signal(each, handler)
