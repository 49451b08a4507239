from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ifseg_cli.core.bases.builtin.efficientnet import HEAD_CHANNELS, MID_CHANNELS, Features
from ifseg_cli.core.bases.builtin.evidence import CLIP, CONSTANT, NUM_CLASSES, EvidenceProjection, pack, unpack

ANCHORS, TEXTURES, DIM = 6, 3, 7


@pytest.fixture
def members() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    found = torch.rand(ANCHORS, NUM_CLASSES, generator=generator) < 0.01
    found[0] = False
    found[0, 999] = True  # a single class, in the last bit
    return found


@pytest.fixture
def projection(members) -> EvidenceProjection:
    torch.manual_seed(0)
    made = EvidenceProjection(ANCHORS, TEXTURES, DIM)
    made.membership = pack(members)
    made.anchor_texture = torch.tensor([-1, 0, 1, 1, -1, 2], dtype=torch.int16)
    for name in (
        "class_weight",
        "class_bias",
        "texture_weight",
        "texture_bias",
        "anchor_bias",
        "anchor_mean",
        "projection",
    ):
        setattr(made, name, torch.randn_like(getattr(made, name)) * 0.3)
    return made


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.booleans(), min_size=16, max_size=16), min_size=1, max_size=4))
def test_packing_loses_nothing(bits):
    members = torch.tensor(bits)
    assert pack(members).shape == (len(bits), 2)
    assert torch.equal(unpack(pack(members)), members)


def test_anchor_scores_are_the_formula(projection, members):
    z, q = torch.randn(5, NUM_CLASSES) * 4, torch.randn(5, TEXTURES)
    scores = projection.anchor_scores(z, q)
    for anchor in range(ANCHORS):
        expected = torch.logsumexp(z[:, members[anchor]], 1) + projection.anchor_bias[anchor]
        texture = int(projection.anchor_texture[anchor])
        if texture >= 0:
            expected = expected + q[:, texture]
        torch.testing.assert_close(scores[:, anchor], expected, rtol=1e-4, atol=1e-4)


def test_a_word_whose_classes_are_far_below_the_best_is_absent_but_finite(projection):
    z = torch.full((1, NUM_CLASSES), -500.0)
    z[0, 3] = 500.0
    assert torch.isfinite(projection.anchor_scores(z, torch.zeros(1, TEXTURES))).all()


def test_cells_are_centred_scores_projected_and_a_constant(projection):
    z, q = torch.randn(2, 4, NUM_CLASSES), torch.randn(2, 4, TEXTURES)
    cells = projection.cells(z, q)
    assert cells.shape == (2, 4, DIM)
    assert (cells[..., -1] == CONSTANT).all()
    expected = (projection.anchor_scores(z, q) - projection.anchor_mean) @ projection.projection.T
    torch.testing.assert_close(cells[..., :-1], expected)


def test_forward_reads_cells_row_by_row(projection):
    features = Features(torch.rand(1, HEAD_CHANNELS, 2, 3), torch.rand(1, MID_CHANNELS, 2, 3))
    z, q = projection.evidence(features)
    assert z.shape == (1, 6, NUM_CLASSES)
    expected = projection.class_weight @ features.head[0, :, 1, 0] + projection.class_bias
    torch.testing.assert_close(z[0, 3], expected, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(projection(features), projection.cells(z, q))


def test_texture_evidence_is_a_clipped_ratio_to_chance(projection):
    flat = Features(torch.zeros(1, HEAD_CHANNELS, 1, 1), torch.zeros(1, MID_CHANNELS, 1, 1))
    projection.texture_bias = torch.zeros(TEXTURES)
    assert projection.evidence(flat)[1].abs().max() < 1e-6  # no evidence: chance
    projection.texture_bias = torch.tensor([100.0, 0.0, 0.0])
    q = projection.evidence(flat)[1][0, 0]
    assert q[0] == pytest.approx(math.log(TEXTURES), abs=1e-4)
    assert q[1] == -CLIP


def test_new_weights_bring_new_members(projection, members):
    z, q = torch.randn(1, NUM_CLASSES), torch.zeros(1, TEXTURES)
    before = projection.anchor_scores(z, q)
    state = projection.state_dict()
    state["membership"] = pack(~members)
    projection.load_state_dict(state)
    assert not torch.allclose(before, projection.anchor_scores(z, q))


def test_everything_travels_in_the_state_dict_and_nothing_is_trained(projection):
    assert not list(projection.parameters())
    copy = EvidenceProjection(ANCHORS, TEXTURES, DIM)
    copy.load_state_dict(projection.state_dict())
    z, q = torch.randn(3, NUM_CLASSES), torch.randn(3, TEXTURES)
    assert torch.equal(copy.cells(z, q), projection.cells(z, q))


def test_captions_add_coordinates_and_change_no_other(projection):
    """A word without coordinates of its own scores as before; one with them scores R z + r . v more."""
    wide = EvidenceProjection(ANCHORS, TEXTURES, DIM + 2, captions=2)
    assert not wide.load_state_dict(projection.state_dict(), strict=False).unexpected_keys
    wide.caption_weight, wide.caption_bias = torch.randn(2, NUM_CLASSES), torch.randn(2)
    z, q = torch.randn(5, NUM_CLASSES), torch.randn(5, TEXTURES)
    narrow, cells = projection.cells(z, q), wide.cells(z, q)
    row, v = torch.randn(DIM), torch.randn(2)
    told, untold = (torch.cat([row[:-1], each, row[-1:]]) for each in (v, torch.zeros(2)))
    torch.testing.assert_close(cells @ untold, narrow @ row)
    expected = narrow @ row + (z @ wide.caption_weight.T + wide.caption_bias) @ v
    torch.testing.assert_close(cells @ told, expected)
    assert (cells[:, -1] == CONSTANT).all()
