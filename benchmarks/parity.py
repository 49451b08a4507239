"""How far this program is from the published one: the largest absolute difference, group by group.

    python benchmarks/parity.py

Reads what the tests in tests/parity hold to their tolerances. float32, CPU.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "parity"), str(ROOT / "tests" / "support")]

import published  # noqa: E402 - the tests' reader of the published numbers
from published import IMAGES, largest_difference, normalised, numbers  # noqa: E402

from ifseg_cli.core.adaptation.loss import segmentation_loss  # noqa: E402
from ifseg_cli.core.adaptation.optimiser import PublishedAdamW  # noqa: E402
from ifseg_cli.core.bases.ofa.keymap import our_name  # noqa: E402
from ifseg_cli.core.recipe import Optimiser  # noqa: E402
from ifseg_cli.core.synthesis.nearest import nearest_resize  # noqa: E402


def forward() -> None:
    """Backbone, encoder, decoder, scores of every picture and artificial image."""
    io, model = numbers(), published.network()
    print(f"{'group':<14}{'backbone':>10}{'encoder':>10}{'decoder':>10}{'scores':>10}")
    for group in IMAGES:
        seen = model.see(normalised(group))
        biases = model.biases(seen.grid)
        encoded = model.encoder(seen.cells, model.embed_tokens(model.prompt_ids), biases.encoder)[0]
        features = model.features(seen.cells, seen.grid)[0]
        backbone = largest_difference(seen.similarity[0, ::8, ::8], io[f"{group}.resnet_sub"])
        show(group, backbone, encoded, features, features @ model.rows.T, group)
    for group in ("single", "batch"):
        cells = model.bare(io[f"artificial.{group}.ids32"].long())
        encoded = model.encoder(cells, model.embed_tokens(model.prompt_ids), model.biases((32, 32)).encoder)
        features = model.features(cells, (32, 32))
        show(group, None, encoded, features, features @ model.rows.T, f"artificial.{group}")


def show(name: str, backbone: float | None, encoded: Tensor, features: Tensor, scores: Tensor, key: str) -> None:
    """One line."""
    ours = {"encoder_out": encoded, "decoder_features": features, "logits": scores}
    io = numbers()
    parts = [
        largest_difference(each, io[f"{key}.{what}"]) if f"{key}.{what}" in io else None for what, each in ours.items()
    ]
    print(f"{name:<14}" + "".join(f"{'-':>10}" if part is None else f"{part:10.1e}" for part in [backbone, *parts]))


def training() -> None:
    """Loss, gradients, and two updates by the published rule and by torch's AdamW as it is."""
    io = numbers()
    maps = [io[f"artificial.batch.grid_ids.{j}"].numpy() for j in range(2)]
    target = torch.stack([torch.from_numpy(nearest_resize(each, 512, 512)).long() for each in maps])
    noise = {
        our_name(name)
        for name in json.loads((published.HERE / "trainable.json").read_text())["gradient_is_zero_up_to_rounding"]
    }
    names = [key.removeprefix("train.param2.") for key in io if key.startswith("train.param2.")]
    for rule in ("published", "torch's AdamW"):
        model = published.network().train()
        model.set_regularisation(0.0, 0.0)
        parameters = dict(model.trained_parameters())
        optimiser = PublishedAdamW(parameters.values(), Optimiser())
        gradients: dict[str, Tensor] = {}
        for update in (0, 1):
            cells = model.bare(io["artificial.batch.ids32"].long())
            loss = segmentation_loss(model.scores(cells, (32, 32)), (32, 32), target)
            loss.backward()
            if update == 0:
                gradients = {name: each.grad.clone() for name, each in parameters.items() if each.grad is not None}
            if rule == "published":
                print(f"loss before update {update + 1}: {abs(loss.item() - io[f'train.loss.{update}'].item()):.1e}")
                optimiser.step(update)
            else:
                torch.nn.utils.clip_grad_norm_(optimiser.parameters, 1.0)
                optimiser.adam.param_groups[0]["lr"] = io["train.lr"][update].item()
                optimiser.adam.step()
                optimiser.adam.zero_grad(set_to_none=True)
        for low, high in ((1e-3, 1e9), (1e-5, 1e-3), (1e-7, 1e-5)):
            worst = 0.0
            for name in names:
                if name not in noise:
                    felt = published_subset(name, gradients[name]).abs()
                    off = (published_subset(name, parameters[name].detach()) - io[f"train.param2.{name}"]).abs()
                    chosen = off[(felt > low) & (felt <= high)]
                    worst = max(worst, chosen.max().item() if len(chosen) else 0.0)
            above = f"{low:.0e} to {high:.0e}" if high < 1 else f"over {low:.0e}"
            print(f"parameters after two updates, {rule}, gradients {above}: {worst:.1e}")


def published_subset(name: str, tensor: Tensor) -> Tensor:
    """Large tables are stored as row subsets."""
    from test_parity_training import subset

    return subset(name, tensor)


if __name__ == "__main__":
    with torch.no_grad():
        forward()
    training()
