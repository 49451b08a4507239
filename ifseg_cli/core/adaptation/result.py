"""What a finished run leaves: the model folder with its recipe, provenance, loss curve and card."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from ifseg_cli.core.adaptation.log import draw_loss, read_log
from ifseg_cli.core.adaptation.resume import FILE
from ifseg_cli.core.checkpoint.card import model_card
from ifseg_cli.core.checkpoint.folder import LoadedModel, save_folder
from ifseg_cli.core.provenance import provenance
from ifseg_cli.core.recipe import Recipe

LOG, CURVE = "train.jsonl", "loss.png"


@dataclass(frozen=True)
class Origin:
    """Where a run came from."""

    base: str  # as the user named it
    base_sha256: str
    recipe_name: str
    device: str


def save_result(out: Path, model: LoadedModel, recipe: Recipe, origin: Origin, seconds: float) -> None:
    """Write the model folder `out`; the run's checkpoint, which it replaces, goes last.

    Args:
        model: the adapted model, its vocabulary set.
        seconds: how long the (last part of the) run took.
    """
    lines = read_log(out / LOG)
    assert model.vocabulary is not None
    facts = {
        "base": origin.base,
        "base_sha256": origin.base_sha256,
        "recipe": origin.recipe_name,
        "seed": recipe.seed,
    }
    made = provenance(
        [Path(sys.argv[0]).name, *sys.argv[1:]],
        **facts,
        categories=len(model.vocabulary.names),
        device=origin.device,
        seconds=round(seconds, 1),
    )
    card = model_card(
        out,
        model.vocabulary.names,
        {
            **facts,
            "steps": recipe.optimiser.steps,
            "batch": recipe.optimiser.batch_size,
            "loss": lines[-1]["loss"],
            "version": made["ifseg"],
            "time": made["time"],
        },
    )
    draw_loss(out / CURVE, lines)
    save_folder(out, model, recipe_yaml=recipe.to_yaml(), provenance=made, card=card)
    (out / FILE).unlink(missing_ok=True)
