"""The lists that ship run on the base that ships: every name is read, and a step of adaptation is made."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from command import ifseg

from ifseg_cli.core.adaptation.loop import train_step
from ifseg_cli.core.adaptation.optimiser import PublishedAdamW
from ifseg_cli.core.adaptation.prepare import prepare
from ifseg_cli.core.bases.base import NEVER
from ifseg_cli.core.vocabulary.lists import list_names, shipped_list

FEW = ["optimiser.steps=1", "optimiser.batch_size=1", "grid=8", "target_size=32"]


@pytest.mark.parametrize("name", list_names())
def test_a_step_on_each(name: str) -> None:
    run = prepare(name, overrides=FEW, device="cpu")
    assert run.vocabulary.names == tuple(category.name for category in shipped_list(name).categories)
    optimiser = PublishedAdamW((each for _, each in run.base.network.trained_parameters()), run.recipe.optimiser)
    step = train_step(run.base.network.train(), run.samples.batch(0), optimiser, 0, run.recipe)
    assert math.isfinite(step.loss) and step.loss < -NEVER / 100, "no target has a score of never"


def test_a_list_with_background_by_the_command(tmp_path: Path) -> None:
    few = [word for each in FEW for word in ("--set", each)]
    done = ifseg("adapt", "--categories", "voc", *few, "--out", "m", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
