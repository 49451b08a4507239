"""Attention as OFA has it, and the pieces of a layer around it.

Differences from the textbook: the scale is `(factor * d / heads) ** -0.5` with factor 2, a bias is added to every
score, each head's result is multiplied by a learned number (`c_attn`) before the output projection, and there are norms
after attention and after the activation ("NormFormer"). Kernels are torch's `scaled_dot_product_attention`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from ifseg_cli.core.bases.base import Recompute
from ifseg_cli.core.bases.ofa.biased import biased_attention
from ifseg_cli.core.bases.ofa.config import ModelConfig


class Attention(nn.Module):
    """Multi-head attention with a bias and a learned scale a head."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.scale = attention_scale(config)
        self.q_proj = nn.Linear(config.dim, config.dim)
        self.k_proj = nn.Linear(config.dim, config.dim)
        self.v_proj = nn.Linear(config.dim, config.dim)
        self.out_proj = nn.Linear(config.dim, config.dim)
        self.c_attn = nn.Parameter(torch.ones(config.heads))

    def forward(self, x: Tensor, memory: Tensor, bias: Tensor, causal: bool = False) -> Tensor:
        """Let `x` (B, Q, d) attend to `memory` (B, K, d).

        Args:
            bias: (heads, Q, K) or (B, heads, Q, K), added to the scaled scores; -inf forbids.
            causal: the bias forbids every key after the query.

        Returns:
            (B, Q, d).
        """
        q = self._split(self.q_proj(x))
        k = self._split(self.k_proj(memory))
        v = self._split(self.v_proj(memory))
        trained = bias.requires_grad and torch.is_grad_enabled() and bias.dim() == 3
        if trained and q.device.type == "cpu" and q.dtype == torch.float32:
            mixed = biased_attention(q, k, v, bias, self.scale, causal)
        else:
            if trained and not (q.requires_grad or k.requires_grad or v.requires_grad):
                q = q.detach().requires_grad_()  # a GPU's kernels have crashed where the bias alone wants a gradient
            bias = bias.unsqueeze(0) if bias.dim() == 3 else bias
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype), scale=self.scale)
        mixed = mixed * self.c_attn.view(-1, 1, 1)
        return self.out_proj(mixed.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, N, d / heads)


def attention_scale(config: ModelConfig) -> float:
    """`(factor * d / heads) ** -0.5`: shared by attention and by the absolute position biases."""
    return (config.scale_factor * config.head_dim) ** -0.5


def remade(part: Callable[..., Tensor], *inputs: Tensor, again: bool) -> Tensor:
    """What a part of the network makes of its inputs; `again`: it keeps these alone, and is gone through a second time
    in the backward pass, with the same dropout."""
    if not (again and torch.is_grad_enabled()):
        return part(*inputs)
    return cast(Tensor, checkpoint(part, *inputs, use_reentrant=False))


class FeedForward(nn.Module):
    """The mix-in of a layer: adds `fc1`, `ffn_layernorm`, `fc2`, `final_layer_norm` under their published names."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.dim, config.ffn_dim)
        self.ffn_layernorm = nn.LayerNorm(config.ffn_dim)
        self.fc2 = nn.Linear(config.ffn_dim, config.dim)
        self.final_layer_norm = nn.LayerNorm(config.dim)
        self.dropout = nn.Dropout(0.0)
        self.drop_path = DropPath(0.0)
        self.recompute: Recompute = "none"

    def feed_forward(self, x: Tensor) -> Tensor:
        """`x + fc2(LN(gelu(fc1(LN(x)))))`, exact (erf) GELU: (B, N, d) -> (B, N, d)."""
        hidden = self.fc1(self.final_layer_norm(x))
        return x + self.drop_path(self.dropout(narrowed(hidden, self.ffn_layernorm, self.fc2)))


def narrowed(hidden: Tensor, norm: nn.LayerNorm, narrow: nn.Linear) -> Tensor:
    """`narrow(norm(gelu(hidden)))`, keeping only `hidden` for the backward pass: (B, N, f) -> (B, N, d).

    What lies between is as wide as `hidden` and costs little to make again.
    """
    if not torch.is_grad_enabled():
        return narrow(norm(F.gelu(hidden)))
    parts = (norm.weight, norm.bias, narrow.weight, narrow.bias)
    return _Narrowed.apply(hidden, *parts, norm.eps)  # pyright: ignore[reportReturnType]


class _Narrowed(Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, scale: Tensor, shift: Tensor, weight: Tensor, offset: Tensor, eps: float
    ) -> Tensor:
        ctx.save_for_backward(hidden, scale, shift, weight)
        device = hidden.device.type
        ctx.eps, ctx.precision = eps, (device, torch.get_autocast_dtype(device), torch.is_autocast_enabled(device))
        return F.linear(F.layer_norm(F.gelu(hidden), scale.shape, scale, shift, eps), weight, offset)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grad_outputs
        hidden, scale, shift, weight = (each.detach() for each in ctx.saved_tensors)
        device, dtype, enabled = ctx.precision
        with torch.enable_grad(), torch.autocast(device, dtype, enabled):  # as in the forward pass
            needed = zip((hidden, scale, shift), ctx.needs_input_grad[:3], strict=True)
            again = [each.requires_grad_(wanted) for each, wanted in needed]
            inner = F.layer_norm(F.gelu(hidden), scale.shape, scale, shift, ctx.eps)
        wanted, flat = [each for each in again if each.requires_grad], grad.flatten(0, -2)
        with torch.autocast(device, dtype, enabled):
            of_inner = (grad @ weight).to(inner.dtype)
            of_weight = flat.T @ inner.detach().flatten(0, -2) if ctx.needs_input_grad[3] else None
        found = iter(torch.autograd.grad(inner, wanted, of_inner) if wanted else ())
        first = [next(found) if each.requires_grad else None for each in again]
        return (*first, of_weight, flat.sum(0) if ctx.needs_input_grad[4] else None, None)


class DropPath(nn.Module):
    """Drop a residual branch for whole samples; what is kept is scaled up."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, d) -> (B, N, d)."""
        if not self.training or self.rate == 0.0:
            return x
        kept = torch.rand(x.shape[0], 1, 1, device=x.device, dtype=x.dtype) >= self.rate
        return x * kept / (1.0 - self.rate)


def causal_bias(length: int, device: torch.device) -> Tensor:
    """(length, length): 0 where key <= query, -inf after."""
    return torch.full((length, length), float("-inf"), device=device).triu(1)
