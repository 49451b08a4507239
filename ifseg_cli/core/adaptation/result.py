"""What a finished run leaves: the model folder with its recipe, provenance, loss curve and card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ifseg_cli.core.adaptation.card import model_card
from ifseg_cli.core.adaptation.log import LOG, draw_loss, read_log
from ifseg_cli.core.bases.folder import save_folder
from ifseg_cli.core.provenance import provenance

if TYPE_CHECKING:
    from ifseg_cli.core.adaptation.prepare import Run

CURVE = "loss.png"


def save_result(
    out: Path,
    run: Run,
    seconds: float,
    command: Sequence[str] = (),
    half: bool = False,
    halved: Sequence[tuple[int, int]] = (),
) -> None:
    """Write the model folder `out`.

    Args:
        out: the folder.
        run: its network adapted.
        seconds: how long the (last part of the) run took.
        command: the command line, word by word.
        half: save the weights in half precision.
        halved: (step, samples at once from there on), where memory ran out.
    """
    lines, recipe, names = read_log(out / LOG), run.recipe, run.vocabulary.names
    facts = {
        "base": run.base_name,
        "base_sha256": run.base_sha256,
        "recipe": run.recipe_name,
        "seed": recipe.seed,
    }
    of_run: dict[str, object] = {"device": run.device, "processes": run.processes.count, "seconds": round(seconds, 1)}
    if halved:
        of_run["memory_ran_out"] = [{"step": step, "samples_at_once": count} for step, count in halved]
    made = provenance(command, **facts, categories=len(names), **of_run)
    of_card = facts | {
        "steps": recipe.optimiser.steps,
        "batch": recipe.optimiser.batch_size,
        "loss": lines[-1]["loss"],
        "version": made["ifseg"],
        "time": made["time"],
    }
    draw_loss(out / CURVE, lines)
    card = model_card(out, names, of_card, half)
    save_folder(out, run.base, recipe_yaml=recipe.to_yaml(), provenance=made, card=card, half=half)
