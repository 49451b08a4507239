"""What training has written anew for speed and memory, each against torch's plain form: values and gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from ifseg_cli.core.bases.ofa import biased
from ifseg_cli.core.bases.ofa.attention import narrowed
from ifseg_cli.core.bases.ofa.biased import biased_attention
from ifseg_cli.core.bases.ofa.positions import cell_buckets, relative_cell_bias, with_blocks


def numbers(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


def same_gradients(ours: Tensor, theirs: Tensor, of: list[Tensor]) -> None:
    """Values, and gradients of a random sum of them, are equal."""
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-10)
    weights = torch.randn_like(theirs)
    for one, other in zip(
        torch.autograd.grad((ours * weights).sum(), of), torch.autograd.grad((theirs * weights).sum(), of), strict=True
    ):
        assert torch.allclose(one, other, rtol=0, atol=1e-9)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("queries", "keys"), [(1, 1), (7, 7), (64, 64), (65, 65), (130, 150)])
def test_attention_with_a_trained_bias(causal: bool, queries: int, keys: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(biased, "_BLOCK", 32)
    keys = queries if causal else keys
    q, k, v, bias = numbers(2, 3, queries, 4), numbers(2, 3, keys, 4), numbers(2, 3, keys, 4), numbers(3, queries, keys)
    mask = torch.full((queries, keys), float("-inf")).triu(1) if causal else torch.zeros(queries, keys)
    plain = ((q @ k.mT) * 0.3 + bias + mask).softmax(-1) @ v
    same_gradients(biased_attention(q, k, v, bias + mask, 0.3, causal), plain, [q, k, v, bias])


def test_attention_of_a_bias_that_is_not_trained_gives_it_no_gradient():
    q, k, v = numbers(1, 2, 5, 4), numbers(1, 2, 5, 4), numbers(1, 2, 5, 4)
    bias = torch.randn(2, 5, 5, dtype=torch.float64)
    found = biased_attention(q, k, v, bias, 0.3, causal=False)
    same_gradients(found, ((q @ k.mT) * 0.3 + bias).softmax(-1) @ v, [q, k, v])


@given(st.integers(1, 4), st.integers(0, 3))
def test_the_relative_table_of_cells(native: int, larger: int):
    side = native + larger
    table = torch.randn((2 * side - 1) ** 2 + 3, 2, dtype=torch.float64, requires_grad=True)
    plain = F.embedding(cell_buckets((native, native), side), table).permute(2, 0, 1)
    same_gradients(relative_cell_bias(table, native, side, (native, native)), plain, [table])


def test_blocks_of_a_table_of_pairs():
    whole, block, row = numbers(2, 5, 6), numbers(2, 3, 4), numbers(2, 1, 1)
    one, other = (slice(2, 5), slice(0, 4)), (slice(0, 1), slice(1, None))
    plain = whole + F.pad(block, (0, 2, 2, 0)) + F.pad(row.expand(2, 1, 5), (1, 0, 0, 4))
    same_gradients(with_blocks(whole, (one, block), (other, row)), plain, [whole, block, row])


@pytest.mark.parametrize("frozen", [(), ("norm",), ("narrow",), ("norm", "narrow")])
def test_the_narrow_end_of_a_feed_forward(frozen: tuple[str, ...]):
    norm, narrow = nn.LayerNorm(8).double(), nn.Linear(8, 3).double()
    nn.init.normal_(norm.weight)
    for name, module in (("norm", norm), ("narrow", narrow)):
        module.requires_grad_(name not in frozen)
    hidden = numbers(2, 5, 8)
    trained = [each for module in (norm, narrow) for each in module.parameters() if each.requires_grad]
    same_gradients(narrowed(hidden, norm, narrow), narrow(norm(F.gelu(hidden))), [hidden, *trained])
