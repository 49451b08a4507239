"""Adam with decoupled weight decay, as published, and the learning rate of an update.

The published rule adds eps to the *uncorrected* root of the second moment; torch's AdamW adds it to the corrected one.
Dividing eps by `sqrt(1 - beta2^t)` before update t makes torch's rule the published one exactly:

    sqrt(v) / sqrt(1 - b2^t) + eps / sqrt(1 - b2^t)  =  (sqrt(v) + eps) / sqrt(1 - b2^t)

Only parameters whose gradients are about as small as eps notice (docs/numbers.md has the difference).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ifseg_cli.core.recipe import Optimiser


class PublishedAdamW:
    """AdamW over every trained tensor, norms and biases too; clips the gradient norm before each update.

    Args:
        parameters: what is trained. Those without a gradient are left alone, decay included.
        recipe: rates, decay, betas, eps, clipping.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], recipe: Optimiser) -> None:
        self.recipe = recipe
        self.parameters = list(parameters)
        self.adam = torch.optim.AdamW(
            self.parameters,
            lr=recipe.learning_rate,
            betas=recipe.betas,
            eps=recipe.eps,
            weight_decay=recipe.weight_decay,
            fused=True,  # one pass over each tensor and its moments
        )

    def step(self, update: int) -> Tensor:
        """Make update number `update` (from 0) with the gradients at hand, then drop them.

        Returns:
            The gradient norm before clipping, a scalar tensor.
        """
        norm = nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip_norm)
        group = self.adam.param_groups[0]
        group["lr"] = learning_rate(update, self.recipe)
        group["eps"] = self.recipe.eps / math.sqrt(1.0 - self.recipe.betas[1] ** (update + 1))
        self.adam.step()
        self.forget_gradients()
        return norm

    def forget_gradients(self) -> None:
        """Drop the gradients at hand."""
        self.adam.zero_grad(set_to_none=True)


def learning_rate(update: int, recipe: Optimiser) -> float:
    """Rate of update n = 0, 1, ...: `0.5 * peak * (1 + cos(pi * n / steps))`; before it a linear warm-up, if any."""
    peak, warmup = recipe.learning_rate, recipe.warmup_steps
    if update < warmup:
        return peak * (update + 1) / (warmup + 1)
    if recipe.schedule == "constant":
        return peak
    return 0.5 * peak * (1.0 + math.cos(math.pi * (update - warmup) / (recipe.steps - warmup)))
