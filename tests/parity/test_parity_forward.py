"""Encoder, decoder and scores equal the published program's, picture by picture."""

from __future__ import annotations

from collections.abc import Iterator

import published
import pytest
import torch
from published import IMAGES, largest_difference, normalised, numbers

from ifseg_cli.core.bases.ofa.segmenter import Segmenter

TOLERANCE = 5e-5  # the published program differs from itself by up to 7.6e-6 between one and two threads


@pytest.fixture(scope="module")
def model() -> Iterator[Segmenter]:
    with torch.inference_mode():
        yield published.network()


def test_category_rows_are_the_mean_of_their_pieces(model: Segmenter) -> None:
    assert torch.equal(model.rows, numbers()["seg.embedding"])


@pytest.mark.parametrize("group", IMAGES)
def test_images(model: Segmenter, group: str) -> None:
    io = numbers()
    seen = model.see(normalised(group))
    assert list(seen.grid) == io[f"{group}.grid"].tolist()
    assert largest_difference(seen.similarity[0, ::8, ::8], io[f"{group}.resnet_sub"]) < TOLERANCE
    assert largest_difference(seen.similarity[0].norm(dim=1), io[f"{group}.resnet_norm"]) < 1e-3  # up to 200
    biases = model.biases(seen.grid)
    assert largest_difference(biases.encoder.positions[::16], io[f"{group}.position_embeddings_sub"]) < TOLERANCE
    features = model.features(seen.cells, seen.grid)
    logits = features @ model.rows.T
    assert largest_difference(logits[0], io[f"{group}.logits"]) < TOLERANCE
    assert torch.equal(model.scores(seen.cells, seen.grid), logits[:, :-1])
    if f"{group}.decoder_features" in io:
        assert largest_difference(features[0], io[f"{group}.decoder_features"]) < TOLERANCE
    if f"{group}.encoder_out" in io:
        encoded = model.encoder(seen.cells, model.embed_tokens(model.prompt_ids), biases.encoder)
        assert largest_difference(encoded[0], io[f"{group}.encoder_out"]) < TOLERANCE


@pytest.mark.parametrize("group", ["single", "batch"])
def test_artificial_images(model: Segmenter, group: str) -> None:
    io = numbers()
    cells = model.bare(io[f"artificial.{group}.ids32"].long())
    biases = model.biases((32, 32))
    encoded = model.encoder(cells, model.embed_tokens(model.prompt_ids), biases.encoder)
    features = model.features(cells, (32, 32))
    assert largest_difference(encoded, io[f"artificial.{group}.encoder_out"]) < TOLERANCE
    assert largest_difference(features, io[f"artificial.{group}.decoder_features"]) < TOLERANCE
    assert largest_difference(features @ model.rows.T, io[f"artificial.{group}.logits"]) < TOLERANCE


def test_the_decoder_is_causal(model: Segmenter) -> None:
    """Changing the decoder's input at cell 500 changes outputs from 501 on only: output i answers for cell i."""
    cells = model.bare(numbers()["artificial.single.ids32"].long())
    biases = model.biases((32, 32))
    encoded = model.encoder(cells, model.embed_tokens(model.prompt_ids), biases.encoder)
    start = model.embed_tokens.weight[:1].expand(1, 1, -1)
    inputs = torch.cat([start, encoded[:, :1024]], dim=1)
    altered = inputs.clone()
    altered[:, 501] += torch.linspace(-1, 1, 32)  # a constant would vanish in the norm
    before = model.decoder(inputs, encoded, biases.decoder)
    after = model.decoder(altered, encoded, biases.decoder)
    changed = (before != after).any(-1)[0].nonzero()[:, 0]
    assert changed.min() == 501
    assert len(changed) == 1025 - 501


def test_the_text_decoder_is_the_ports(model: Segmenter) -> None:
    from safetensors.torch import load_file

    theirs = load_file(published.HERE / "text_io.safetensors")
    text = published.network()
    text.embed_tokens.weight = torch.nn.Parameter(text.embed_tokens.weight[:59457])  # the port has no extra row
    seen = text.see(normalised("img_square"))
    source = theirs["img_square.input_ids"].long()
    logits = text.text_logits(seen.cells, seen.grid, source, theirs["img_square.decoder_input_ids"].long())[0]
    assert largest_difference(logits[:, ::8], theirs["img_square.decoder_logits"]) < TOLERANCE
    assert largest_difference(logits.double().logsumexp(1), theirs["img_square.decoder_logits_logsumexp"]) < TOLERANCE
    top = logits.topk(20)
    assert torch.equal(top.indices.int(), theirs["img_square.decoder_top_ids"])
    ids = [0]
    for _ in range(12):
        following = text.text_logits(seen.cells, seen.grid, source, torch.tensor(ids))[0, -1]
        ids.append(int(following.argmax()))
    assert ids == theirs["img_square.greedy_ids"].tolist()
