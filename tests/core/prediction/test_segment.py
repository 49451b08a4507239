"""The whole way, photograph in and class map out, against the published program."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from parity_numbers import numbers

from ifseg_cli.core.prediction.method.segment import segment
from ifseg_cli.core.prediction.method.smoothing import nearest_cells
from ifseg_cli.core.recipe import PredictionSettings

sys.path.insert(0, str(Path(__file__).parents[2] / "parity"))
from published import IMAGES, network, normalised


@pytest.mark.parametrize(("way", "iterations"), [("raw", 0), ("smooth", 25)])
def test_a_photograph_becomes_the_published_class_map(way: str, iterations: int):
    io = numbers()
    found = segment(network(), io["img_eval.image"].numpy(), PredictionSettings(smoothing_iterations=iterations))
    differs = found.labels != io[f"img_eval.argmax_{way}"].numpy()
    differs.ravel()[io[f"img_eval.argmax_margin_{way}"].numpy()] = False  # near-ties, as the fixture lists them
    assert np.count_nonzero(differs) == 0


@pytest.mark.parametrize("picture", IMAGES)
def test_neighbours_are_the_published_ones(picture: str):
    with torch.inference_mode():
        seen = network().see(normalised(picture))
    ours, published = nearest_cells(seen.similarity, 3)[0], numbers()[f"{picture}.knn"].long()
    assert torch.equal(ours, published)
