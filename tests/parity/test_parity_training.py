"""Loss, gradients and two updates equal the published trainer's (dropout 0, float32)."""

from __future__ import annotations

import json
import re

import published
import pytest
import torch
from published import largest_difference, network, numbers
from torch import Tensor

from ifseg_cli.core.adaptation.loss import segmentation_loss
from ifseg_cli.core.adaptation.optimiser import PublishedAdamW, learning_rate
from ifseg_cli.core.bases.ofa.keymap import our_name
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.recipe import Optimiser
from ifseg_cli.core.synthesis.nearest import nearest_resize

PUBLISHED = Optimiser()
TRAINABLE = json.loads((published.HERE / "trainable.json").read_text())
# Large tables are stored as row subsets.
EVERY = {
    "encoder.embed_image_positions.weight": 9,
    "encoder.image_rel_pos_table_list.1.weight": 3,
    "decoder.embed_seg_positions.weight": 5,
    "decoder.seg_rel_pos_table_list.0.weight": 2,
}


def subset(name: str, tensor: Tensor) -> Tensor:
    if name == "encoder.embed_positions.weight":
        return tensor[:32]
    return tensor[:: EVERY.get(name, 1)]


def target(group: str, count: int) -> Tensor:
    maps = [numbers()[f"artificial.{group}.grid_ids.{j}"].numpy() for j in range(count)]
    return torch.stack([torch.from_numpy(nearest_resize(each, 512, 512)).long() for each in maps])


def loss_of(model: Segmenter, group: str, count: int) -> Tensor:
    cells = model.bare(numbers()[f"artificial.{group}.ids32"].long())
    return segmentation_loss(model.scores(cells, (32, 32)), (32, 32), target(group, count))


def names(prefix: str) -> list[str]:
    return [key.removeprefix(prefix) for key in numbers() if key.startswith(prefix)]


def test_loss_of_one_artificial_image() -> None:
    with torch.inference_mode():
        assert abs(loss_of(network(), "single", 1) - numbers()["artificial.single.loss"]) < 1e-5


def test_what_is_trained() -> None:
    model = network()
    ours = {name for name, _ in model.trained_parameters()}
    assert ours == {our_name(name) for name in TRAINABLE["trainable"]}
    frozen = {name for name, each in model.named_parameters() if not each.requires_grad}
    theirs = {our_name(name) for name in TRAINABLE["frozen"]} - {None}
    assert frozen == theirs


def test_two_updates() -> None:
    io = numbers()
    model = network().train()
    model.set_regularisation(0.0, 0.0)
    parameters = dict(model.trained_parameters())
    start = {name: each.detach().clone() for name, each in parameters.items()}
    optimiser = PublishedAdamW(parameters.values(), PUBLISHED)
    gradients: dict[str, Tensor] = {}
    for update in (0, 1):
        loss = loss_of(model, "batch", 2)
        assert abs(loss.item() - io[f"train.loss.{update}"].item()) < 1e-5
        loss.backward()
        if update == 0:
            gradients = {name: each.grad.clone() for name, each in parameters.items() if each.grad is not None}
            _check_gradients(gradients)
            without = {our_name(name) for name in TRAINABLE["trainable_without_gradient"]}
            assert parameters.keys() - gradients.keys() == without
        norm = optimiser.step(update)
        assert abs(norm.item() - io[f"train.grad_norm.{update}"].item()) < 1e-4
        _check_parameters(f"train.param{update + 1}.", parameters, start, gradients)


def _check_gradients(gradients: dict[str, Tensor]) -> None:
    for name in names("train.grad."):
        assert largest_difference(subset(name, gradients[name]), numbers()[f"train.grad.{name}"]) < 1e-6, name


def _check_parameters(
    prefix: str, parameters: dict[str, Tensor], start: dict[str, Tensor], gradients: dict[str, Tensor]
) -> None:
    """Compare moves where the gradient is more than rounding: elsewhere Adam's first steps amplify noise."""
    noise = {our_name(name) for name in TRAINABLE["gradient_is_zero_up_to_rounding"]}
    compared = 0
    for name in names(prefix):
        if name in noise:
            continue
        felt = subset(name, gradients[name]).abs() > 1e-5
        ours, theirs = subset(name, parameters[name].detach()), numbers()[prefix + name]
        assert (ours - theirs)[felt].abs().max() < 1e-6, name
        assert (theirs - subset(name, start[name]))[felt].abs().max() > 1e-6, name  # it did move
        compared += int(felt.sum())
    assert compared > 5000


def test_learning_rate_schedule() -> None:
    theirs = numbers()["lr.schedule"].double()
    ours = torch.tensor([learning_rate(n, PUBLISHED) for n in range(2000)], dtype=torch.float64)
    assert (ours - theirs).abs().max() < 1e-18


@pytest.mark.parametrize("eps", [1e-8, 1e-3])
def test_update_follows_the_published_rule(eps: float) -> None:
    """Against the rule written out: eps is added before the bias correction, decay comes first."""
    torch.manual_seed(0)
    recipe = Optimiser(eps=eps, clip_norm=1e9)
    weight = torch.nn.Parameter(torch.randn(50, dtype=torch.float64))
    expected, m, v = weight.detach().clone(), torch.zeros(50), torch.zeros(50)
    optimiser = PublishedAdamW([weight], recipe)
    for update in range(5):
        gradient = torch.randn(50, dtype=torch.float64) * 10.0 ** torch.linspace(-8, 0, 50)
        weight.grad = gradient.clone()
        optimiser.step(update)
        rate, t = learning_rate(update, recipe), update + 1
        expected -= rate * recipe.weight_decay * expected
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient**2
        step = rate * (1 - 0.999**t) ** 0.5 / (1 - 0.9**t)
        expected -= step * m / (v.sqrt() + eps)
        assert (weight.detach() - expected).abs().max() < 1e-12


def test_every_trainable_name_is_a_parameter_of_ours() -> None:
    ours = dict(network().named_parameters())
    for name in TRAINABLE["trainable"]:
        assert our_name(name) in ours, name
        assert not re.match(r"backbone\.|image_proj\.", str(our_name(name)))
