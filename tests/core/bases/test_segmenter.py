from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import CONFIG, tiny_network
from torch import Tensor
from torch.nn import functional as F

from ifseg_cli.core.bases.base import NEVER
from ifseg_cli.core.bases.ofa.attention import Attention
from ifseg_cli.core.bases.ofa.config import SIZES, BackboneConfig, ModelConfig
from ifseg_cli.core.bases.ofa.network import ofa_network
from ifseg_cli.core.bases.ofa.segmenter import Segmenter

PROMPT, WORDS = [0, 5, 6, 7, 2], [[[10], [11, 12]], [[13]], [[14, 15]]]


@pytest.fixture(scope="module")
def model() -> Segmenter:
    made = tiny_network()
    made.set_vocabulary(PROMPT, WORDS)
    return made


def test_synonyms_enter_a_row_with_equal_weight(model: Segmenter) -> None:
    table = model.embed_tokens.weight
    assert torch.allclose(model.rows[0], (table[10] + (table[11] + table[12]) / 2) / 2)


@settings(max_examples=12, deadline=None)
@given(height=st.integers(1, 150), width=st.integers(1, 150))
def test_any_size_of_picture_gives_a_cell_for_every_16_pixels(height: int, width: int) -> None:
    small = tiny_network()
    small.set_vocabulary(PROMPT, WORDS)
    with torch.no_grad():
        seen = small.see(torch.randn(1, 3, height, width))
        assert seen.grid == (-(-height // 16), -(-width // 16))
        scores = small.scores(seen.cells, seen.grid)
    assert scores.shape == (1, seen.grid[0] * seen.grid[1], 3)
    assert scores.isfinite().all()


def test_pictures_of_a_batch_do_not_see_each_other(model: Segmenter) -> None:
    images = torch.randn(3, 3, 70, 90)
    with torch.no_grad():
        together = model(images)
        alone = torch.cat([model(image[None]) for image in images])
    assert torch.allclose(together, alone, atol=1e-5)


def test_biases_are_made_once_a_grid_and_forgotten_with_the_weights(model: Segmenter) -> None:
    with torch.no_grad():
        first = model.biases((4, 5))
        assert model.biases((4, 5)) is first
        model.load_state_dict(model.state_dict())
        assert model.biases((4, 5)) is not first
    assert model.biases((4, 5)).decoder.cross.requires_grad  # while training they carry gradients


def test_at_the_native_grid_tables_are_read_straight(model: Segmenter, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> Tensor:
        raise AssertionError("interpolated at the native grid")

    monkeypatch.setattr(F, "interpolate", never)
    with torch.no_grad():
        assert model.scores(torch.randn(1, 36, 16), (6, 6)).shape == (1, 36, 3)


@pytest.mark.parametrize(("width", "factor"), [(8, 2.0), (64, 2.0), (80, 2.0), (64, 4.0)])
def test_attention_equals_the_formula(width: int, factor: float) -> None:
    """Heads as wide as the published sizes have them: the factor is (factor * d / heads) ** -0.5 (OFA's attention)."""
    torch.manual_seed(0)
    dim = 2 * width
    attention = Attention(replace(CONFIG, dim=dim, scale_factor=factor))
    torch.nn.init.normal_(attention.c_attn)
    x, memory, bias = torch.randn(2, 5, dim), torch.randn(2, 7, dim), torch.randn(2, 5, 7)
    q, k, v = attention.q_proj(x), attention.k_proj(memory), attention.v_proj(memory)
    heads = []
    for head in range(2):
        part = slice(width * head, width * (head + 1))
        weights = (q[..., part] @ k[..., part].transpose(1, 2) * (factor * width) ** -0.5 + bias[head]).softmax(-1)
        heads.append(weights @ v[..., part] * attention.c_attn[head])
    assert torch.allclose(attention(x, memory, bias), attention.out_proj(torch.cat(heads, -1)), atol=1e-5)


def test_the_residual_adds_the_plain_score(model: Segmenter) -> None:
    other = ofa_network(replace(CONFIG, residual=True)).eval()
    other.load_state_dict(model.state_dict())
    other.set_vocabulary(PROMPT, WORDS)
    cells = torch.randn(2, 30, 16)
    with torch.no_grad():
        expected = model.scores(cells, (5, 6)) + cells @ model.rows.T
        assert torch.allclose(other.scores(cells, (5, 6)), expected, atol=1e-5)


def test_of_what_is_added_to_a_whole_picture_a_share_is_kept(model: Segmenter) -> None:
    other = ofa_network(replace(CONFIG, picture=0.25)).eval()
    other.load_state_dict(model.state_dict())
    other.set_vocabulary(PROMPT, WORDS)
    cells = torch.randn(2, 30, 16)
    with torch.no_grad():
        whole = model.scores(cells, (5, 6))
        expected = whole - 0.75 * whole.mean(1, keepdim=True)
        assert torch.allclose(other.scores(cells, (5, 6)), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("dim", "heads", "layers", "blocks", "grid", "bucket"),
    [(24, 3, (3, 1), (2, 1, 1), 5, 7), (40, 5, (1, 2), (1, 2, 2), 8, 8), (16, 1, (2, 3), (1, 1), 4, 12)],
)
def test_other_shapes_build_and_run(
    dim: int, heads: int, layers: tuple[int, int], blocks: tuple[int, ...], grid: int, bucket: int
) -> None:
    config = ModelConfig(
        dim=dim,
        ffn_dim=3 * dim,
        heads=heads,
        encoder_layers=layers[0],
        decoder_layers=layers[1],
        tokens=40,
        backbone=BackboneConfig(blocks=blocks, width=4),
        grid=grid,
        image_bucket=bucket,
    )
    made = ofa_network(config).eval()
    made.set_vocabulary(PROMPT, WORDS)
    with torch.no_grad():
        assert made(torch.randn(1, 3, 80, 130)).isfinite().all()
        assert made.scores(made.bare(torch.zeros(1, grid, grid, dtype=torch.long)), (grid, grid)).shape


def test_configuration_survives_json() -> None:
    for config in (CONFIG, *SIZES.values()):
        assert ModelConfig.from_json(config.to_json()) == config


def test_drop_path_grows_with_depth_and_keeps_the_mean() -> None:
    made = tiny_network()
    made.set_regularisation(dropout=0.25, drop_path=0.5)
    assert [layer.drop_path.rate for layer in made.decoder.layers] == [0.0, 0.5]
    branch = made.decoder.layers[1].drop_path.train()
    torch.manual_seed(0)
    dropped = branch(torch.ones(4000, 1, 1))
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.05)
    assert torch.equal(branch.eval()(torch.ones(3, 1, 1)), torch.ones(3, 1, 1))


def test_named_sizes_have_the_published_number_of_parameters() -> None:
    """Millions, published: 33, 93, 182, 472, 930. Counted without the segmentation tables, which OFA does not have."""
    millions = {}
    for name, config in SIZES.items():
        with torch.device("meta"):
            made = ofa_network(config)
        counted = [each.numel() for key, each in made.named_parameters() if ".seg_" not in key and "_seg_" not in key]
        millions[name] = round(sum(counted) / 1e6)
    assert millions["base"] in (181, 182, 183), millions
    assert millions == pytest.approx({"tiny": 33, "medium": 93, "base": 182, "large": 472, "huge": 930}, rel=0.03)


def test_of_two_categories_with_one_row_the_first_gets_all() -> None:
    made = tiny_network()
    made.set_vocabulary(PROMPT, [[[10]], [[11]], [[10]], [[12], [13]], [[13], [12]]])
    assert made.first.tolist() == [0, 1, 0, 3, 3]
    scores = made.scores(torch.randn(2, 36, CONFIG.dim, generator=torch.Generator().manual_seed(0)), (6, 6))
    assert (scores[..., [2, 4]] == NEVER).all()
    assert scores.softmax(-1)[..., [2, 4]].max() == 0
    assert not (scores[..., [0, 1, 3]] == NEVER).any()
