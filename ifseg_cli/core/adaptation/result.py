"""What a finished run leaves: the model folder with its recipe, provenance, loss curve and card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ifseg_cli.core.adaptation.card import model_card
from ifseg_cli.core.adaptation.log import LOG, draw_loss, read_log
from ifseg_cli.core.bases.folder import save_folder
from ifseg_cli.core.bases.update import UpdateOf
from ifseg_cli.core.device import peak_memory
from ifseg_cli.core.provenance import provenance

if TYPE_CHECKING:
    from ifseg_cli.core.adaptation.course import Course
    from ifseg_cli.core.adaptation.prepare import Run

CURVE = "loss.png"


def save_result(
    out: Path,
    run: Run,
    course: Course,
    seconds: float,
    command: Sequence[str] = (),
    save: str = "exact",
) -> None:
    """Write the model folder `out`.

    Args:
        out: the folder.
        run: its network adapted.
        course: what was noted while it was.
        seconds: how long the (last part of the) run took.
        command: the command line, word by word.
        save: precision of the weights, `exact` or `fp16`; or `update`, what was trained alone.
    """
    lines, recipe, names = read_log(out / LOG), run.recipe, run.vocabulary.names
    facts = {
        "base": run.base_name,
        "base_sha256": run.base_sha256,
        "recipe": run.recipe_name,
        "seed": recipe.seed,
    }
    of_run: dict[str, object] = {"device": run.device, "processes": run.processes.count, "seconds": round(seconds, 1)}
    of_run["peak_memory_gb"] = round(peak_memory(run.base.network.rows.device) / 1e9, 2)
    if course.last_look:
        of_run["artificial_accuracy"] = round(course.last_look.accuracy, 4)
    if course.halved:
        of_run["memory_ran_out"] = [{"step": step, "samples_at_once": count} for step, count in course.halved]
    made = provenance(command, **facts, categories=len(names), **of_run)
    of_card = facts | {
        "steps": recipe.optimiser.steps,
        "batch": recipe.optimiser.batch_size,
        "loss": lines[-1]["loss"],
        "version": made["ifseg"],
        "time": made["time"],
    }
    draw_loss(out / CURVE, lines)
    card = model_card(out, names, of_card, save)
    update = UpdateOf(run.base_name, run.base_sha256, recipe.train, recipe.rank) if save == "update" else None
    half = save == "fp16"
    save_folder(out, run.base, recipe_yaml=recipe.to_yaml(), provenance=made, card=card, half=half, update=update)
