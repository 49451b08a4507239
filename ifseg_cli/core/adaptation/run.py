"""A run of adaptation: words in, a model folder out. What `ifseg adapt` and `ifseg_cli.adapt` both call.

prepare    (prepare.py) everything that can be wrong is told; the base is loaded, its vocabulary set
carry_out  the loop, with checkpoints; then the model folder
adapt      both
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ifseg_cli.core.adaptation.prepare import Run, prepare
from ifseg_cli.core.adaptation.processes import ALONE, Processes, processes_of, together
from ifseg_cli.core.bases.places import DEFAULTS, LoadOptions
from ifseg_cli.core.errors import IfsegError, OutputError, UnfinishedError
from ifseg_cli.core.files import forget, require_folder
from ifseg_cli.core.vocabulary.files import Words

if TYPE_CHECKING:
    from ifseg_cli.core.adaptation.course import Course
    from ifseg_cli.core.adaptation.loop import Saving, Step

CHECKPOINT = "checkpoint.safetensors"  # in the output folder while a run is unfinished
SAVES = ("exact", "fp16", "update")
_BEGUN = {"train.jsonl", "looks.png"}  # what a run may leave that ended before its first checkpoint


@dataclass(frozen=True)
class Adapted:
    """How a run ended."""

    folder: Path
    finished: bool  # False: stopped, and to be resumed
    steps: int  # of this call
    seconds: float  # of this call
    warnings: tuple[str, ...]
    course: Course | None  # what was noted on the way; None in all processes but the first


def require_place(out: Path, resume: bool, overwrite: bool) -> None:
    """Refuse to lose an earlier result or run, and to go on with one that is not there.

    Raises:
        OutputError: with what to say instead.
    """
    finished, begun = (out / "config.json").exists(), (out / CHECKPOINT).exists()
    if resume and overwrite:
        raise OutputError("both --resume and --overwrite", remedy="leave one out")
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file", "a folder", "choose another --out")
    if resume and finished and not begun:
        raise OutputError(
            f"{out} is finished already", "an interrupted run", "leave out --resume, and choose another --out"
        )
    if resume and not begun:
        empty = not out.exists() or not any(out.iterdir())
        remedy = "leave out --resume" if empty else "say --overwrite in place of --resume"
        raise OutputError(f"{out} has no checkpoint: nothing was saved yet", "an interrupted run", remedy)
    require_folder(out)
    if resume or overwrite:
        return
    if begun:
        raise OutputError(
            f"{out} holds an interrupted run", remedy="say --resume to go on, or --overwrite to start anew"
        )
    if out.is_dir() and any(out.iterdir()):
        raise OutputError(f"{out} exists already", remedy="choose another --out, or say --overwrite")


def take_place(out: Path, resume: bool, overwrite: bool, processes: Processes = ALONE) -> bool:
    """Refuse as `require_place`, and say whether to go on from a checkpoint.

    What torchrun starts anew goes on from what the first start saved. Of several processes the first one alone looks:
    by the time that the others do, it may have begun to write.
    """
    if processes.restarts and (out / CHECKPOINT).exists():
        return True
    begun = processes.restarts and {each.name for each in out.iterdir()} <= _BEGUN if out.is_dir() else False
    if processes.first and not begun:
        require_place(out, resume, overwrite)
    return resume


def require_save(save: str) -> None:
    """Refuse a way of saving that there is not."""
    if save not in SAVES:
        raise IfsegError(f"--save {save}", "exact, fp16 or update")


def carry_out(
    run: Run,
    out: Path,
    *,
    resume: bool = False,
    save: str = "exact",
    command: Sequence[str] = (),
    on_step: Callable[[Step], None] = lambda _: None,
    on_look: Callable[[Course], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Adapted:
    """Adapt, and write the model folder `out`.

    Args:
        run: from `prepare`; its network is adapted in place.
        out: from `require_place`.
        resume: go on from the checkpoint in `out`.
        save: precision of the saved weights, `exact` or `fp16`; or `update`, what was trained alone.
        command: the command line, for the provenance.
        on_step: called after every update.
        on_look: called when artificial images that are not trained on were read.
        stopped: asked after every update; True ends the run, with a checkpoint.

    Raises:
        RecipeError: the loss is no longer a finite number.
        CheckpointError: the checkpoint is of another run.
        OutputError: `out` is the base, or a file cannot be written.
    """
    from ifseg_cli.core.adaptation.course import Course
    from ifseg_cli.core.adaptation.loop import adapt as loop
    from ifseg_cli.core.adaptation.result import save_result

    if out.resolve() == run.base.path.resolve():
        raise OutputError(f"{out} is the base itself", "a folder of its own", "choose another --out")
    require_folder(out, room=_room(run))
    saving, first = _saving(run, out, resume)
    optimiser, network, processes = run.recipe.optimiser, run.base.network, run.processes
    course = Course(out, run, first, on_look) if processes.first else None

    def note(step: Step) -> None:
        if course:
            course.add(step)
        on_step(step)

    begin = time.perf_counter()
    try:
        with together(processes, network.rows.device):
            finished = loop(network, run.samples, run.recipe, note, saving, stopped, processes)
        seconds = time.perf_counter() - begin
        if finished and course:
            save_result(out, run, course, seconds, command, save)
            saving.path.unlink(missing_ok=True)  # last: until the model is whole, the run can be resumed
    except OutputError as error:
        done = steps_done(out)
        kept = f"the state after step {done} is kept" if done else "nothing could be kept"
        remedy = f"make room, then repeat the command with {'--resume' if done else '--overwrite'}"
        raise UnfinishedError(f"{error.found}; {kept}", remedy=remedy) from error
    return Adapted(out, finished, optimiser.steps - first, seconds, run.warnings, course)


def steps_done(out: Path) -> int:
    """How many steps of an interrupted run in `out` are done; 0 if there is none."""
    from ifseg_cli.core.adaptation.resume import updates_done

    return updates_done(out / CHECKPOINT)


def _room(run: Run) -> int:
    """Bytes that a run writes at least: the weights, and beside them a checkpoint with both moments of Adam."""
    network = run.base.network
    trained = network.parts()[run.recipe.train]
    state = sum(each.numel() * each.element_size() for each in network.state_dict().values())
    moved = sum(each.numel() * each.element_size() for name, each in network.named_parameters() if name in trained)
    return state + 3 * moved


def _saving(run: Run, out: Path, resume: bool) -> tuple[Saving, int]:
    """Where checkpoints go, and the first step."""
    from ifseg_cli.core.adaptation.loop import Saving

    path = out / CHECKPOINT
    first = steps_done(out) if resume else 0
    if not resume and run.processes.first:
        forget([path])
    return Saving(path, run.identity(), resume), first


def adapt(
    categories: Words,
    *,
    out: str | Path = "ifseg-model",
    base: str = "builtin",
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    allow_unknown: bool = False,
    strict: bool = False,
    device: str = "auto",
    loading: LoadOptions = DEFAULTS,
    save: str = "exact",
    resume: bool = False,
    overwrite: bool = False,
    memory: str = "auto",
    on_step: Callable[[Step], None] = lambda _: None,
    on_look: Callable[[Course], None] = lambda _: None,
) -> Adapted:
    """Adapt a base to categories, without any image: `ifseg adapt` from Python, with the same result.

    The arguments are those of `prepare` and `carry_out`.

    Raises:
        IfsegError: the first thing that is not right, before the first step.
    """
    require_save(save)
    processes = processes_of(os.environ)
    resume = take_place(Path(out), resume, overwrite, processes)
    run = prepare(
        categories,
        base=base,
        recipe=recipe,
        overrides=overrides,
        allow_unknown=allow_unknown,
        strict=strict,
        device=device,
        loading=loading,
        memory=memory,
        processes=processes,
    )
    return carry_out(run, Path(out), resume=resume, save=save, on_step=on_step, on_look=on_look)
