"""Low-rank updates: nothing changes at the start, merging changes nothing, and the numbers are those of the formula."""

from __future__ import annotations

import pytest
import torch
from tiny import tiny_network

from ifseg_cli.core.adaptation.parts import choose_trained
from ifseg_cli.core.bases.ofa.low_rank import NAMES, LowRank
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.recipe import load_recipe

GRID = (6, 6)


@pytest.fixture
def network() -> Segmenter:
    made = tiny_network()
    made.set_vocabulary([0, 5, 2], [[[10 + i]] for i in range(4)])
    return made


def scores(network: Segmenter) -> torch.Tensor:
    ids = torch.randint(0, 4, (2, *GRID), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        network.forget_biases()
        return network.scores(network.bare(ids), GRID)


def test_a_layer_by_its_formula():
    full = torch.nn.Linear(5, 3)
    layer = LowRank(full, 2, torch.Generator().manual_seed(0))
    torch.nn.init.normal_(layer.up)
    x = torch.randn(4, 7, 5)
    weight = full.weight + layer.up @ layer.down
    assert torch.allclose(layer(x), torch.nn.functional.linear(x, weight, full.bias), atol=1e-6)
    assert torch.allclose(layer.merged()(x), torch.nn.functional.linear(x, weight, full.bias), atol=1e-6)


def test_at_the_start_it_is_the_network_that_it_was(network: Segmenter):
    before = scores(network)
    network.add_updates(4, seed=0)
    network.add_updates(4, seed=1)  # a second time does nothing
    assert torch.equal(scores(network), before)
    layers = [*network.encoder.layers, *network.decoder.layers]
    updated = [name for layer in layers for name, each in layer.named_modules() if isinstance(each, LowRank)]
    linear = [name for layer in layers for name, each in layer.named_modules() if type(each) is torch.nn.Linear]
    assert {name.split(".")[-1] for name in updated} == set(NAMES)
    assert {name.split(".")[-1] for name in linear} == {"fc2", "full"}


def test_merged_it_is_an_ordinary_network_that_gives_the_same(network: Segmenter):
    names, before = network.state_dict().keys(), scores(network)
    network.add_updates(4, seed=0)
    for name, parameter in network.named_parameters():
        if name.endswith(".up"):
            torch.nn.init.normal_(parameter, std=0.1)
    moved = scores(network)
    assert not torch.allclose(moved, before, atol=0.1)
    network.merge_updates()
    assert network.state_dict().keys() == names
    assert torch.allclose(scores(network), moved, atol=1e-4)


def test_what_is_trained(network: Segmenter):
    choose_trained(network, load_recipe("default", ["train=low_rank", "rank=2"]))
    names = {name for name, _ in network.trained_parameters()}
    assert "encoder.layers.0.self_attn.q_proj.up" in names
    assert "decoder.embed_seg_positions.weight" in names  # a pre-trained OFA has none
    assert not any(".full." in name or "fc2" in name or "image" in name for name in names)
