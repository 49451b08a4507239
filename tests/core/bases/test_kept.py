"""Biases are kept within a bound, and a grid too large to be kept gives the same scores."""

from __future__ import annotations

import pytest
import torch
from tiny import tiny_network

from ifseg_cli.core.bases.ofa.kept import LastUsed, MadeWhenAsked


def test_the_least_recently_used_goes_first() -> None:
    kept = LastUsed[str](room=10)
    for key, size in ((1, 4), (2, 4)):
        assert kept.make_room(size)
        kept.keep(key, str(key), size)
    assert kept.get(1) == "1"
    assert kept.make_room(5)
    assert (kept.get(1), kept.get(2)) == ("1", None)
    assert not kept.make_room(11) and kept.get(1) is None
    kept.keep(3, "3", 1)
    kept.forget()
    assert kept.get(3) is None


def test_made_when_asked_is_a_sequence_that_keeps_nothing() -> None:
    made: list[int] = []
    tables = MadeWhenAsked(3, lambda index: made.append(index) or torch.tensor(index))
    assert len(tables) == 3 and made == []
    assert [int(each) for each in tables] == [0, 1, 2] == [int(each) for each in tables[:]]
    assert int(tables[-1]) == 2 and made == [0, 1, 2, 0, 1, 2, 2]
    with pytest.raises(IndexError):
        tables[3]


def test_too_large_to_be_kept_is_the_same() -> None:
    network = tiny_network()
    network.set_vocabulary([0, 2], [[[5]], [[6]], [[7, 8]]])
    cells = torch.randn(2, 5 * 7, network.config.dim, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        kept = network.scores(cells, (5, 7))
        assert network.biases((5, 7)) is network.biases((5, 7))
        network.forget_biases()
        network._kept.room = 0
        assert network.biases((5, 7)) is not network.biases((5, 7))
        assert isinstance(network.biases((5, 7)).encoder.layers, MadeWhenAsked)
        assert torch.equal(network.scores(cells, (5, 7)), kept)
    assert kept.shape == (2, 35, 3) and kept.std() > 0
