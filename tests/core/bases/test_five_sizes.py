"""The five published sizes: a wrong depth or width would show in the parameters.

Published are 33, 93, 182, 472 and 930 million (paper of OFA, table 1), counted over the pre-trained model: backbone,
encoder, decoder, the token embedding once. Segmentation adds a few tables of its own, counted apart here. Frozen batch
norms are counted with their scale and shift, as parameters of the published model.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ifseg_cli.core.bases.ofa.config import SIZES, ModelConfig
from ifseg_cli.core.bases.ofa.initialise import WithoutWeights, initialise
from ifseg_cli.core.bases.ofa.keymap import is_fresh
from ifseg_cli.core.bases.ofa.network import ofa_network
from ifseg_cli.core.bases.ofa.sizes import size_name

MILLIONS = {"tiny": 33, "medium": 93, "base": 182, "large": 472, "huge": 930}


def parameters(config: ModelConfig) -> dict[str, int]:
    """Numbers by part, from a model without memory."""
    with torch.device("meta"), WithoutWeights():
        entries = ofa_network(config).state_dict()
    counts = {"published": 0, "segmentation": 0, "statistics": 0}
    for name, tensor in entries.items():
        part = "segmentation" if is_fresh(name) else "statistics" if ".running_" in name else "published"
        counts[part] += tensor.numel()
    return counts


@pytest.mark.parametrize("name", SIZES)
def test_parameters_are_the_published_number(name: str) -> None:
    counts = parameters(SIZES[name])
    assert abs(counts["published"] / 1e6 - MILLIONS[name]) < 1.0 + 0.005 * MILLIONS[name], counts
    assert counts["segmentation"] < 0.03 * counts["published"]


@pytest.mark.parametrize("change", [{"encoder_layers": 5}, {"dim": 640, "heads": 10}, {"ffn_dim": 2048}], ids=str)
def test_a_wrong_size_shows(change: dict[str, int]) -> None:
    from dataclasses import replace

    counts = parameters(replace(SIZES["base"], **change))
    assert abs(counts["published"] / 1e6 - MILLIONS["base"]) > 2


@pytest.mark.parametrize("name", SIZES)
def test_a_size_is_told_by_name(name: str) -> None:
    assert size_name(SIZES[name]) == f"OFA {name}"


@pytest.mark.parametrize(
    "name",
    [
        "tiny",
        pytest.param("medium", marks=pytest.mark.slow),
        pytest.param("base", marks=pytest.mark.slow),
        pytest.param("large", marks=pytest.mark.slow),
    ],
)
def test_a_size_runs(name: str) -> None:
    with torch.device("meta"), WithoutWeights():
        model = ofa_network(SIZES[name])
    model.to_empty(device="cpu")
    torch.manual_seed(0)
    initialise(model)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        elif hasattr(module, "running_var"):
            for part, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
                getattr(module, part).fill_(value)
        elif hasattr(module, "c_attn"):
            nn.init.ones_(module.c_attn)
    model.rows, model.prompt_ids = torch.zeros(0), torch.zeros(0, dtype=torch.long)
    model.set_vocabulary([0, 5, 6, 7, 2], [[[5]], [[6]], [[7]]])
    with torch.inference_mode():
        scores = model.eval()(torch.rand(1, 3, 64, 64))
    assert scores.shape == (1, 16, 3)
    assert scores.isfinite().all()


def test_huge_runs_without_memory() -> None:
    """On torch's meta device: shapes fit through all 36 layers."""
    with torch.device("meta"), WithoutWeights():
        model = ofa_network(SIZES["huge"]).eval()
        with torch.no_grad():
            seen = model.see(torch.empty(1, 3, 64, 64))
            bias = model.encoder.bias(seen.grid, 5)
            memory = model.encoder(seen.cells, torch.empty(5, 1280), bias)
            features = model.decoder(torch.empty(1, 17, 1280), memory, model.decoder.cell_bias(seen.grid, bias))
    assert memory.shape == (1, 21, 1280)
    assert features.shape == (1, 17, 1280)
