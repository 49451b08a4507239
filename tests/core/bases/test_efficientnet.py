from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ifseg_cli.core.bases.builtin.efficientnet import HEAD_CHANNELS, MID_CHANNELS, EfficientNetLite, SameConv


@pytest.fixture(scope="module")
def net() -> EfficientNetLite:
    torch.manual_seed(0)
    return EfficientNetLite().eval()


@pytest.mark.parametrize(("height", "width"), [(32, 48), (33, 17), (1, 1), (16, 31), (100, 47)])
def test_a_cell_for_each_begun_block_of_16_pixels(net, height, width):
    features = net(torch.rand(2, 3, height, width) * 2 - 1)
    grid = (-(-height // 16), -(-width // 16))
    assert features.head.shape == (2, HEAD_CHANNELS, *grid)
    assert features.mid.shape == (2, MID_CHANNELS, *grid)
    assert features.similarity.shape == (2, grid[0] * grid[1], MID_CHANNELS - 3)


@settings(deadline=None)
@given(
    side=st.integers(1, 40),
    kernel=st.sampled_from([3, 5]),
    stride=st.sampled_from([1, 2]),
    dilation=st.sampled_from([1, 2]),
    shifted=st.booleans(),
)
def test_same_padding_gives_ceil_of_side_over_stride(side, kernel, stride, dilation, shifted):
    if stride == 2:
        dilation = 1
    conv = SameConv(1, 1, kernel, stride, dilation, shifted=shifted)
    with torch.no_grad():
        assert conv(torch.zeros(1, 1, side, side)).shape[-1] == -(-side // stride)


def test_even_sides_are_padded_as_published():
    """TensorFlow's "SAME": for stride 2 and an even side, one pixel more after than before."""
    torch.manual_seed(0)
    for kernel, before, after in ((3, 0, 1), (5, 1, 2)):
        conv = SameConv(2, 3, kernel, 2)
        x = torch.rand(1, 2, 8, 8)
        padded = torch.nn.functional.pad(x, (before, after, before, after))
        expected = torch.nn.functional.conv2d(padded, conv.weight, conv.bias, stride=2)
        torch.testing.assert_close(conv(x), expected)


def test_features_are_centred_on_their_cell():
    """A network that only averages, shown a ramp, answers with the mean position each cell sees: the cell's centre."""
    net = EfficientNetLite().eval()
    for parameter in net.parameters():
        parameter.data.fill_(1 / parameter[0].numel() if parameter.ndim > 1 else 0.0)
    width = 1600
    ramp = (torch.arange(width) + 0.5).expand(1, 3, 16, width) * 1e-6
    ones = torch.full_like(ramp, 1e-6)
    seen, weight = net(ramp), net(ones)
    centres = (torch.arange(width // 16) + 0.5) * 16
    inner = slice(40, 60)
    for name, start, stop in (("head", 0, 1), ("mid", 0, 1), ("mid", 40, 41), ("mid", 120, 121), ("mid", 232, 233)):
        position = (getattr(seen, name) / getattr(weight, name))[0, start:stop, 0, inner]
        assert (position - centres[inner]).abs().max() < 1, (name, start)


def test_nothing_is_trained(net):
    assert not any(parameter.requires_grad for parameter in net.parameters())
    assert not net(torch.zeros(1, 3, 16, 16)).head.requires_grad
