"""The plan of an update: what is chosen, and that no plan changes what comes out."""

from __future__ import annotations

import pytest
import torch
from tiny import tiny_network

from ifseg_cli.core.adaptation.loop import adapt
from ifseg_cli.core.adaptation.plan import BESIDES, LEVELS, MARGIN, choose_plan, memory_of
from ifseg_cli.core.adaptation.samples import make_samples
from ifseg_cli.core.bases.base import Recompute, TrainingBytes
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.errors import DeviceError, RecipeError
from ifseg_cli.core.recipe import Recipe, load_recipe
from ifseg_cli.core.synthesis.sampler import sampler_for

WORDS = [[[10 + i]] for i in range(4)]
GRID = (6, 6)
CPU = torch.device("cpu")
STILL = ("regularisation.dropout=0", "regularisation.drop_path=0")


def network() -> Segmenter:
    made = tiny_network()
    made.set_vocabulary([0, 5, 6, 2], WORDS)
    return made


def recipe(*overrides: str) -> Recipe:
    few = ("optimiser.steps=3", "optimiser.batch_size=5", "optimiser.learning_rate=0.001", "synthesis.max_side=3")
    return load_recipe("default", [*few, *overrides])


def adapted(*overrides: str) -> tuple[dict[str, torch.Tensor], list[float]]:
    made, wanted, losses = network(), recipe(*overrides), list[float]()
    samples = make_samples(made, sampler_for(wanted, made.pictures, len(WORDS)), wanted)
    adapt(made, samples, wanted, lambda step: losses.append(step.loss))
    return made.state_dict(), losses


@pytest.mark.parametrize("micro_batch", [1, 2, 5])
@pytest.mark.parametrize("recompute", LEVELS)
def test_without_dropout_every_plan_gives_the_same(micro_batch: int, recompute: Recompute):
    whole, losses = adapted(*STILL)
    parts, others = adapted(*STILL, f"plan.micro_batch={micro_batch}", f"plan.recompute={recompute}")
    assert others == pytest.approx(losses, rel=1e-5)
    for name, tensor in whole.items():
        assert torch.allclose(parts[name], tensor, rtol=0, atol=2e-5), name


@pytest.mark.parametrize("recompute", LEVELS[1:])
def test_what_is_made_twice_sees_the_same_dropout(recompute: Recompute):
    kept, losses = adapted()
    again, others = adapted(f"plan.recompute={recompute}")
    assert others == losses
    assert all(torch.equal(again[name], tensor) for name, tensor in kept.items())


def needs(level: Recompute, samples: int) -> int:
    """Bytes of the smallest room in which so many samples go through at a level."""
    made = network()
    cost = made.training_bytes(GRID, level)
    weights = sum(each.numel() * 4 for each in made.parameters())
    trained = sum(each.numel() * 4 for name, each in made.named_parameters() if name in made.parts()["all"])
    return int(MARGIN * (BESIDES + weights + 3 * trained + cost.shared + samples * cost.a_sample)) + 2


@pytest.mark.parametrize(
    ("room", "micro_batch", "recompute"),
    [
        (needs("none", 5), 5, "none"),
        (needs("none", 4), 3, "none"),  # three and two rather than four and one
        (needs("none", 1), 1, "none"),
    ],
)
def test_the_quickest_plan_that_fits(room: int, micro_batch: int, recompute: str):
    plan = choose_plan(network(), recipe(), GRID, f"{room}B")
    assert (plan.micro_batch, plan.recompute) == (micro_batch, recompute)
    assert plan.memory <= room


def test_what_does_not_fit_is_made_twice(monkeypatch: pytest.MonkeyPatch):
    sizes = {
        "none": (10**9, 10**8),
        "attention": (10**8, 10**7),
        "layers": (0, 10),
    }
    monkeypatch.setattr(Segmenter, "training_bytes", lambda self, grid, level: TrainingBytes(*sizes[level], 1))
    chosen = [choose_plan(network(), recipe(), GRID, f"{megabytes}MB") for megabytes in (2400, 1800, 610, 490)]
    found = [(plan.micro_batch, plan.recompute) for plan in chosen]
    assert found == [(5, "none"), (2, "none"), (3, "attention"), (5, "layers")]


def test_a_processor_is_given_parts_that_are_quick(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Segmenter, "training_bytes", lambda self, grid, level: TrainingBytes(0, 10, 15 << 20))
    assert choose_plan(network(), recipe(), GRID, "100GB").micro_batch == 2
    assert choose_plan(network(), recipe("plan.micro_batch=5"), GRID, "100GB").micro_batch == 5


def test_what_the_recipe_settles_is_kept_to():
    plan = choose_plan(network(), recipe("plan.micro_batch=2", "plan.recompute=layers"), GRID, "10GB")
    assert (plan.micro_batch, plan.recompute) == (2, "layers")


def test_what_cannot_fit_is_told_before_the_first_step():
    with pytest.raises(DeviceError, match=r"adapting needs 0\.\d GB, and --memory 1MB is 0\.0 GB to spare; choose"):
        choose_plan(network(), recipe(), GRID, "1MB")


def test_sizes_as_people_write_them():
    assert [memory_of(text, CPU) for text in ("8GB", "8g", "0.5 GiB", "600M", "12")] == [
        8 * 10**9,
        8 * 10**9,
        5 * 10**8,
        6 * 10**8,
        12,
    ]
    assert memory_of("auto", CPU) > 10**9
    for text in ("much", "0GB", "-1GB", "8 apples"):
        with pytest.raises(RecipeError, match="a size like 8GB, or auto"):
            memory_of(text, CPU)
