from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tiny import tiny_network

from ifseg_cli.core.adaptation.loop import Saving, Step, adapt
from ifseg_cli.core.adaptation.parts import choose_trained
from ifseg_cli.core.adaptation.samples import make_samples
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.errors import CheckpointError, RecipeError
from ifseg_cli.core.recipe import Recipe, load_recipe
from ifseg_cli.core.synthesis.sampler import sampler_for

WORDS = [[[10 + i]] for i in range(4)]


def recipe(*overrides: str) -> Recipe:
    few = ("optimiser.steps=12", "optimiser.batch_size=2", "optimiser.learning_rate=0.01", "synthesis.max_side=3")
    return load_recipe("default", [*few, "saving.checkpoint_every=5", *overrides])


def run(wanted: Recipe, saving: Saving | None = None, stop_after: int = 10**9) -> tuple[Segmenter, list[Step]]:
    segmenter = tiny_network()
    segmenter.set_vocabulary([0, 5, 6, 2], WORDS)
    steps: list[Step] = []
    samples = make_samples(segmenter, sampler_for(wanted, segmenter.pictures, len(WORDS)), wanted)
    adapt(segmenter, samples, wanted, steps.append, saving, lambda: len(steps) >= stop_after)
    return segmenter, steps


def same(one: Segmenter, other: Segmenter) -> bool:
    others = other.state_dict()
    return all(torch.equal(tensor, others[name]) for name, tensor in one.state_dict().items())


def test_the_loss_falls() -> None:
    _, steps = run(recipe("optimiser.steps=60", "regularisation.dropout=0", "regularisation.drop_path=0"))
    first, last = ([step.loss for step in part] for part in (steps[:10], steps[-10:]))
    assert sum(last) < 0.9 * sum(first)


def test_a_run_repeats_to_the_bit() -> None:
    one, other = run(recipe())[0], run(recipe())[0]
    assert same(one, other)
    assert not same(one, run(recipe("seed=1"))[0])


def test_frozen_parts_stay_as_they_were() -> None:
    start, end = tiny_network().state_dict(), run(recipe())[0].state_dict()
    frozen = [name for name in start if name.startswith(("backbone.", "image_proj.", "embed_tokens."))]
    assert frozen
    assert all(torch.equal(start[name], end[name]) for name in frozen)
    assert not torch.equal(start["encoder.layers.0.fc1.weight"], end["encoder.layers.0.fc1.weight"])


@pytest.mark.parametrize("stop", [5, 7])  # at a checkpoint, and between two
def test_a_resumed_run_ends_bit_identical(tmp_path: Path, stop: int) -> None:
    unbroken, _ = run(recipe())
    saving = Saving(tmp_path / "c.safetensors", {"words": "four"})
    _, before = run(recipe(), saving, stop_after=stop)
    assert len(before) == stop
    resumed, after = run(recipe(), Saving(saving.path, saving.identity, resume=True))
    assert after[0].number == stop + 1
    assert same(unbroken, resumed)


def test_resuming_another_run_is_refused(tmp_path: Path) -> None:
    run(recipe(), Saving(tmp_path / "c.safetensors", {"words": "four", "base": "a"}), stop_after=5)
    with pytest.raises(CheckpointError, match="is of another run: another base"):
        run(recipe(), Saving(tmp_path / "c.safetensors", {"words": "four", "base": "b"}, resume=True))


def test_a_checkpoint_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    run(recipe(), Saving(path, {}), stop_after=5)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="cannot be read"):
        run(recipe(), Saving(path, {}, resume=True))


def test_a_loss_that_is_no_number_stops_the_run() -> None:
    segmenter = tiny_network()
    segmenter.set_vocabulary([0, 5, 2], WORDS)
    segmenter.rows = segmenter.rows * float("nan")
    wanted = recipe()
    samples = make_samples(segmenter, sampler_for(wanted, segmenter.pictures, len(WORDS)), wanted)
    with pytest.raises(RecipeError, match=r"the loss is nan at step 1; lower optimiser\.learning_rate"):
        adapt(segmenter, samples, wanted, lambda _: None)


def test_a_part_is_trained_and_the_rest_is_frozen() -> None:
    segmenter = tiny_network()
    choose_trained(segmenter, recipe("train=decoder"))
    assert {name.split(".")[0] for name, _ in segmenter.trained_parameters()} == {"decoder"}
    choose_trained(segmenter, recipe("train=positions"))
    names = {name for name, _ in segmenter.trained_parameters()}
    assert {name.split(".")[0] for name in names} == {"encoder", "decoder"}
    assert {"encoder.pos_q_linear.weight", "decoder.embed_seg_positions.weight"} < names
    assert "decoder.seg_rel_pos_table_list.0.weight" in names
    assert not any("layers" in name or "layer_norm" in name for name in names)
    choose_trained(segmenter, recipe())
    assert {name.split(".")[0] for name, _ in segmenter.trained_parameters()} == {"encoder", "decoder"}
