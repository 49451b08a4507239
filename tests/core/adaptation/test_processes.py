"""One run in several processes: what torchrun says, shares of a batch, and that sums are those of one process."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny import tiny_network

from ifseg_cli.core.adaptation.loop import adapt
from ifseg_cli.core.adaptation.processes import ALONE, Processes, own_device, processes_of, require_even
from ifseg_cli.core.adaptation.samples import TrainingBatch, make_samples
from ifseg_cli.core.errors import DeviceError, IfsegError, RecipeError
from ifseg_cli.core.recipe import load_recipe
from ifseg_cli.core.synthesis.sampler import sampler_for

TORCHRUN = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}


def test_what_torchrun_says():
    assert processes_of({}) == ALONE
    assert processes_of({"RANK": "1", "WORLD_SIZE": "2"}) == ALONE  # of another launcher: `predict` reads these two
    assert processes_of(TORCHRUN) == Processes(5, 8, 1, 4, restarts=0)
    assert processes_of({**TORCHRUN, "TORCHELASTIC_RESTART_COUNT": "2"}).restarts == 2
    assert [each.first for each in (ALONE, processes_of(TORCHRUN))] == [True, False]


@pytest.mark.parametrize("wrong", [{"RANK": "8"}, {"LOCAL_RANK": "4"}, {"RANK": "-1"}, {"WORLD_SIZE": "many"}])
def test_nonsense_is_told(wrong: dict[str, str]):
    with pytest.raises(IfsegError, match="torchrun"):
        processes_of({**TORCHRUN, **wrong})


@given(st.sampled_from([1, 2, 3, 4, 6, 12]))
def test_joined_shares_are_the_batch(count: int):
    batch = TrainingBatch(torch.arange(12.0).view(12, 1, 1), (1, 1), torch.arange(12).view(12, 1, 1))
    shares = [Processes(rank, count).share_of(batch) for rank in range(count)]
    assert torch.equal(torch.cat([share.cells for share in shares]), batch.cells)
    assert torch.equal(torch.cat([share.target for share in shares]), batch.target)


def test_a_batch_that_does_not_divide_is_refused_by_name():
    require_even(16, Processes(count=4))
    with pytest.raises(RecipeError, match=r"a batch of 16 does not divide over 3 processes.*optimiser\.batch_size"):
        require_even(16, Processes(count=3))


def test_a_processor_is_shared_and_a_gpu_is_not(monkeypatch: pytest.MonkeyPatch):
    assert own_device(torch.device("cpu"), Processes(1, 4, 1, 4)) == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(DeviceError, match="4 processes on a machine of 2 GPUs"):
        own_device(torch.device("cuda"), Processes(1, 4, 1, 4))


def test_memory_that_runs_out_halves_the_parts(monkeypatch: pytest.MonkeyPatch):
    sets = ["optimiser.steps=2", "optimiser.batch_size=6", "synthesis.max_side=3"]
    wanted = load_recipe("default", [*sets, "regularisation.dropout=0", "regularisation.drop_path=0"])

    def adapted(fits: int) -> tuple[dict[str, torch.Tensor], list[int]]:
        network = tiny_network()
        network.set_vocabulary([0, 5, 2], [[[10 + i]] for i in range(4)])
        scores, steps = network.scores, list[int]()

        def tight(cells: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
            if len(cells) > fits:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return scores(cells, grid)

        monkeypatch.setattr(network, "scores", tight)
        samples = make_samples(network, sampler_for(wanted, network.pictures, 4), wanted)
        adapt(network, samples, wanted, lambda step: steps.append(step.at_once))
        return network.state_dict(), steps

    whole, parts = adapted(6)
    assert parts == [6, 6]
    halved, parts = adapted(2)
    assert parts == [2, 2]  # six, three, two; and no second try at the second step
    assert all(torch.allclose(halved[name], tensor, atol=2e-5) for name, tensor in whole.items())
    with pytest.raises(DeviceError, match="one sample does not fit"):
        adapted(0)


@pytest.mark.parametrize("train", ["all", "positions", "low_rank"])
def test_half_precision_is_near_and_another(train: str):
    sets = ["optimiser.steps=4", "optimiser.batch_size=2", "synthesis.max_side=3", "regularisation.dropout=0"]

    def losses(precision: str) -> list[float]:
        wanted = load_recipe("default", [*sets, f"plan.precision={precision}", f"train={train}"])
        network, found = tiny_network(), list[float]()
        network.set_vocabulary([0, 5, 2], [[[10 + i]] for i in range(4)])
        samples = make_samples(network, sampler_for(wanted, network.pictures, 4), wanted)
        adapt(network, samples, wanted, lambda step: found.append(step.loss))
        assert all(each.dtype == torch.float32 for each in network.parameters())
        return found

    whole, half = losses("fp32"), losses("bf16")
    assert half != whole
    assert half == pytest.approx(whole, rel=0.02)
