"""Fresh weights: BERT's way, as the published model starts what it does not load; and none where all are loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

STD = 0.02


@torch.no_grad()
def initialise(module: nn.Module) -> None:
    """Draw every linear map and embedding below `module` from N(0, 0.02), biases 0, norms 1 and 0.

    Published: `init_bert_params`, which also overwrites the position tables that are written as zero-initialised.
    """
    for part in module.modules():
        if isinstance(part, nn.Linear):
            part.weight.normal_(0.0, STD)
            nn.init.zeros_(part.bias)
        elif isinstance(part, nn.Embedding):
            part.weight.normal_(0.0, STD)
        elif isinstance(part, nn.LayerNorm):
            part.reset_parameters()


class WithoutWeights(TorchFunctionMode):
    """Inside, modules are made without drawing their initial weights, which are about to be overwritten.

    On the meta device a draw costs nothing in itself, but it makes torch import its compiler: two seconds of a start.
    """

    DRAWS = frozenset({"normal_", "uniform_", "kaiming_uniform_"})

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Leave out the draws of `torch.nn.init`; pass everything else through."""
        del types
        if getattr(func, "__name__", "") in self.DRAWS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))
