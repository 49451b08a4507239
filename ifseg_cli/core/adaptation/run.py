"""A run of adaptation: words in, a model folder out. What `ifseg adapt` and `ifseg_cli.adapt` both call.

prepare   everything that can be wrong is told; the base is loaded, its vocabulary set
carry_out the loop, with checkpoints; then the model folder
adapt     both
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ifseg_cli.core.bases.places import DEFAULTS, LoadOptions, require_base
from ifseg_cli.core.errors import IfsegError, OutputError
from ifseg_cli.core.recipe import Recipe, load_recipe
from ifseg_cli.core.vocabulary.files import Words, gather_categories

if TYPE_CHECKING:
    from ifseg_cli.core.adaptation.loop import Saving, Step
    from ifseg_cli.core.adaptation.samples import ArtificialSamples
    from ifseg_cli.core.bases.loaded import LoadedModel
    from ifseg_cli.core.synthesis.sampler import ArtificialImages
    from ifseg_cli.core.vocabulary.vocabulary import Vocabulary

CHECKPOINT = "checkpoint.safetensors"  # in the output folder while a run is unfinished
PRECISIONS = ("exact", "fp16")


@dataclass(frozen=True, eq=False)
class Run:
    """All that a run needs to know before its first step."""

    base: LoadedModel  # with the vocabulary set
    base_name: str  # as the user named it, or repository@revision
    vocabulary: Vocabulary
    recipe: Recipe
    recipe_name: str
    images: ArtificialImages
    device: str  # which one, and why
    warnings: tuple[str, ...]

    def identity(self) -> dict[str, object]:
        """What a resumed run must share with the first: recipe, words, base."""
        words = json.dumps(self.vocabulary.to_json(), sort_keys=True)
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "categories": hashlib.sha256(words.encode()).hexdigest(),
            "base": self.base_sha256,
        }

    @cached_property
    def samples(self) -> ArtificialSamples:
        """What it trains on.

        Raises:
            RecipeError: the recipe asks for cells that this base has not.
        """
        from ifseg_cli.core.adaptation.samples import make_samples

        return make_samples(self.base.network, self.images, self.recipe)

    @cached_property
    def base_sha256(self) -> str:
        """Hash of the weights one starts from; read when first asked for, before anything is written."""
        return self.base.weights_sha256()


@dataclass(frozen=True)
class Adapted:
    """How a run ended."""

    folder: Path
    finished: bool  # False: stopped, and to be resumed
    steps: int  # of this call
    seconds: float  # of this call
    warnings: tuple[str, ...]


def prepare(
    categories: Words,
    *,
    base: str = "builtin",
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    allow_unknown: bool = False,
    device: str = "auto",
    seed: int | None = None,
    loading: LoadOptions = DEFAULTS,
) -> Run:
    """Check everything, load the base, set the vocabulary. The fast checks come first.

    Args:
        categories: a file, a shipped list's name, or names.
        base: `builtin`, a folder, a weights file, or a name on the model hub.
        recipe: name or file; None takes the base's own.
        overrides: `section.key=value` each.
        allow_unknown: take names the base does not know.
        device: `auto`, `cpu`, `cuda` or `mps`.
        seed: instead of the recipe's.
        loading: how the base is read.

    Raises:
        IfsegError: the first thing that is not right.
    """
    chosen, source = gather_categories(categories)
    require_base(base, loading)
    if recipe is not None:
        load_recipe(recipe, overrides)  # a wrong recipe is told before the base is read

    from ifseg_cli.core.bases.folder import load_base
    from ifseg_cli.core.device import pick_device
    from ifseg_cli.core.synthesis.sampler import sampler_for
    from ifseg_cli.core.vocabulary.vocabulary import build_vocabulary, vocabulary_findings

    place, reason = pick_device(device)
    loaded = load_base(base, place, loading)
    name = str(recipe or loaded.recipe_name)
    settings = load_recipe(name, overrides)
    if seed is not None:
        settings = settings.model_copy(update={"seed": seed})
    reader = loaded.reader.allowing(allow_unknown)
    vocabulary = build_vocabulary(chosen, reader, source)
    warnings = tuple(each.message for each in vocabulary_findings(chosen, reader)[2] if each.level == "warning")
    loaded.network.set_vocabulary(vocabulary.prompt_ids, vocabulary.piece_ids)
    heights = reader.usual_heights(each.name for each in chosen)
    images = sampler_for(settings, loaded.network.pictures, len(chosen), usual_heights=heights)
    return Run(
        base=replace(loaded, vocabulary=vocabulary),
        base_name=loaded.origin or base,
        vocabulary=vocabulary,
        recipe=settings,
        recipe_name=name,
        images=images,
        device=reason,
        warnings=warnings,
    )


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


def require_precision(save: str) -> None:
    """Refuse a precision of the saved weights that there is not."""
    if save not in PRECISIONS:
        raise IfsegError(f"--save {save}", " or ".join(PRECISIONS))


def carry_out(
    run: Run,
    out: Path,
    *,
    resume: bool = False,
    save: str = "exact",
    command: Sequence[str] = (),
    on_step: Callable[[Step], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Adapted:
    """Adapt, and write the model folder `out`.

    Args:
        run: from `prepare`; its network is adapted in place.
        out: from `require_place`.
        resume: go on from the checkpoint in `out`.
        save: precision of the saved weights, `exact` or `fp16`.
        command: the command line, for the provenance.
        on_step: called after every update.
        stopped: asked after every update; True ends the run, with a checkpoint.

    Raises:
        RecipeError: the loss is no longer a finite number.
        CheckpointError: the checkpoint is of another run.
        OutputError: a file cannot be written.
    """
    from ifseg_cli.core.adaptation.log import LOG, TrainLog
    from ifseg_cli.core.adaptation.loop import adapt as loop
    from ifseg_cli.core.adaptation.result import save_result

    saving, first = _saving(run, out, resume)
    optimiser = run.recipe.optimiser
    log = TrainLog(out / LOG, run.recipe.saving.log_every, optimiser.steps, first)

    def note(step: Step) -> None:
        log.add(step)
        on_step(step)

    begin = time.perf_counter()
    finished = loop(run.base.network, run.samples, run.recipe, note, saving, stopped)
    seconds = time.perf_counter() - begin
    if finished:
        save_result(out, run, seconds, command, half=save == "fp16")
        saving.path.unlink(missing_ok=True)  # last: until the model is whole, the run can be resumed
    return Adapted(out, finished, optimiser.steps - first, seconds, run.warnings)


def steps_done(out: Path) -> int:
    """How many steps of an interrupted run in `out` are done; 0 if there is none."""
    from ifseg_cli.core.adaptation.resume import updates_done

    return updates_done(out / CHECKPOINT)


def _saving(run: Run, out: Path, resume: bool) -> tuple[Saving, int]:
    """Where checkpoints go, and the first step."""
    from ifseg_cli.core.adaptation.loop import Saving

    path = out / CHECKPOINT
    first = steps_done(out) if resume else 0
    if not resume:
        path.unlink(missing_ok=True)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make {out}: {error.strerror}", remedy="choose another --out") from error
    return Saving(path, run.identity(), resume), first


def adapt(
    categories: Words,
    *,
    out: str | Path = "ifseg-model",
    base: str = "builtin",
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    allow_unknown: bool = False,
    device: str = "auto",
    loading: LoadOptions = DEFAULTS,
    save: str = "exact",
    resume: bool = False,
    overwrite: bool = False,
    on_step: Callable[[Step], None] = lambda _: None,
) -> Adapted:
    """Adapt a base to categories, without any image: `ifseg adapt` from Python, with the same result.

    The arguments are those of `prepare` and `carry_out`.

    Raises:
        IfsegError: the first thing that is not right, before the first step.
    """
    require_precision(save)
    require_place(Path(out), resume, overwrite)
    run = prepare(
        categories,
        base=base,
        recipe=recipe,
        overrides=overrides,
        allow_unknown=allow_unknown,
        device=device,
        loading=loading,
    )
    return carry_out(run, Path(out), resume=resume, save=save, on_step=on_step)
