"""`ifseg adapt`: words in, an adapted model out."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ifseg_cli.commands import adapt_options as own
from ifseg_cli.commands import console, options
from ifseg_cli.core.errors import IfsegError

if TYPE_CHECKING:
    from ifseg_cli.core.adaptation.course import Course
    from ifseg_cli.core.adaptation.loop import Step
    from ifseg_cli.core.adaptation.prepare import Run
    from ifseg_cli.core.adaptation.run import Adapted


def adapt(
    categories: options.Categories = None,
    base: options.Base = "builtin",
    recipe: options.Recipe = None,
    out: own.Out = Path("ifseg-model"),
    category: options.Category = None,
    override: options.Set = None,
    allow_unknown: options.AllowUnknown = False,
    strict: options.Strict = False,
    tokenizer: options.Tokenizer = None,
    size_from_weights: options.SizeFromWeights = False,
    prompt: options.Prompt = None,
    offline: options.Offline = False,
    device: options.Device = "auto",
    memory: own.Memory = "auto",
    precision: own.Precision = "auto",
    save: own.Save = "exact",
    resume: own.Resume = False,
    overwrite: options.Overwrite = False,
) -> int:
    """Adapt a base to your categories, without any image.

    Draws artificial images (grids of your words) and trains the base to read them back. The result is a folder for
    ifseg predict --model.

    Example:  ifseg adapt --categories cats.txt

    Example:  ifseg adapt --category cat --category dog --category grass --out pets

    Example:  ifseg adapt --categories ade20k --base ofa-base
    """
    from ifseg_cli.core.adaptation.prepare import prepare
    from ifseg_cli.core.adaptation.processes import processes_of
    from ifseg_cli.core.adaptation.run import require_save, take_place

    require_save(save)
    processes = processes_of(os.environ)
    if not processes.first:
        console.be_silent()
    resume = take_place(out, resume, overwrite, processes)
    run = prepare(
        options.words_given(categories, category),
        base=base,
        recipe=recipe,
        overrides=[*(override or []), *_precision(precision)],
        allow_unknown=allow_unknown,
        strict=strict,
        device=device,
        loading=options.loading(tokenizer, size_from_weights, prompt, offline),
        memory=memory,
        processes=processes,
    )
    for warning in run.warnings:
        console.say_warning(warning)
    ended = _carry_out(run, out, resume, save)
    if not ended.finished:
        console.say_error(f"interrupted; the same command with --resume goes on from {out}")
        return console.INTERRUPTED
    if run.processes.first:
        console.say(_told_effort(run, ended) if ended.steps else "done: all steps had been made before")
    if run.base.network.note:
        console.say(run.base.network.note)
    folder = console.escape(str(out))
    beside = f" --base {console.escape(base)}" if save == "update" and base != "builtin" else ""
    console.say(f"model in [bold]{folder}[/]; next: ifseg predict PICTURES --model {folder}{beside}")
    return console.DONE


def _precision(told: str) -> list[str]:
    """`--precision` as a change of the recipe; `auto` leaves it to the recipe."""
    if told not in ("auto", "fp32", "bf16"):
        raise IfsegError(f"--precision {told}", "auto, fp32 or bf16")
    return [] if told == "auto" else [f"plan.precision={told}"]


def _carry_out(run: Run, out: Path, resume: bool, save: str) -> Adapted:
    """Introduce, then adapt under a progress bar."""
    from ifseg_cli.core.adaptation.run import carry_out, steps_done

    first, steps = steps_done(out) if resume else 0, run.recipe.optimiser.steps
    if run.processes.first:
        _introduce(run, first)
    with console.stop_on_signal("step") as stopped, console.progress("steps") as bar:
        task = bar.add_task("adapting", total=steps, completed=first, note="")

        def on_step(step: Step) -> None:
            bar.update(task, completed=step.number, note=f"loss {step.loss:.3f}")

        return carry_out(
            run,
            out,
            resume=resume,
            save=save,
            command=console.command(),
            on_step=on_step,
            on_look=partial(_show_look, run),
            stopped=stopped,
        )


def _show_look(run: Run, course: Course) -> None:
    """How artificial images are read by now: a line, and in a terminal the first of them beside what was drawn."""
    from ifseg_cli.commands.grids import grids

    look, looking = course.last_look, course.looking
    if look is None or looking is None:
        return
    flat = f"; the loss has not fallen since step {course.flat_since:,}" if course.flat_since else ""
    console.say(f"step {look.step:,}: {look.accuracy:.1%} of the cells of {len(look.read)} new images read right{flat}")
    if console.err.is_terminal:
        maps = [each for pair in zip(looking.drawn, look.read, strict=True) for each in pair][:4]
        captions = ["drawn", "read"] * 2
        names, colours = run.vocabulary.names, run.vocabulary.colours
        first = len(looking.looks) == 1
        console.err.print(grids(maps, captions, names, colours, console.err, legend=first))


def _told_effort(run: Run, ended: Adapted) -> str:
    """`done in 3 min 20 s: 0.42 steps/s, peak 2.1 GB, 63 % of what the arithmetic allows`."""
    from ifseg_cli.core.adaptation.course import effort

    took = effort(run, ended.steps, ended.seconds)
    parts = [f"{took.steps_a_second:.2f} steps/s"]
    parts += [f"peak {took.peak / 1e9:.1f} GB"] if took.peak else []
    if took.share_of_floor is not None:
        parts.append(f"{took.share_of_floor:.0%} of what its arithmetic allows here")
    return f"done in {console.duration(ended.seconds)}: {', '.join(parts)}"


def _told_plan(run: Run) -> str:
    """`6 samples at a time, about 10.3 GB; attention is made twice`."""
    plan, batch = run.recipe.plan, run.recipe.optimiser.batch_size
    parts = (
        "the batch at once"
        if plan.micro_batch == batch and run.processes.count == 1
        else f"{plan.micro_batch} samples at a time"
    )
    if run.processes.count > 1:
        parts += f" in each of {run.processes.count} processes"
    if plan.precision == "bf16":
        parts += ", bf16"
    twice = {"none": "", "attention": "; attention is made twice", "layers": "; all layers are made twice"}
    return f"{parts}, about {run.memory / 1e9:.1f} GB{twice[plan.recompute or 'none']}"


def _introduce(run: Run, first: int) -> None:
    from ifseg_cli.core.adaptation.estimate import seconds_per_sample

    optimiser, images, names = run.recipe.optimiser, run.images, run.vocabulary.names
    seconds = seconds_per_sample(run.base.network, run.samples, run.recipe.plan.precision) / run.processes.count
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
        ("plan", _told_plan(run)),
        ("device", run.device),
        ("expected", f"about {console.duration((optimiser.steps - first) * optimiser.batch_size * seconds)}"),
    ]
    console.err.print(console.table(None, [("", {"style": "bold"}), ("", {"overflow": "fold"})], rows, header=False))
