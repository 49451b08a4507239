"""Attention with a bias that is trained, on a processor.

torch's fused kernels for processors give no gradient to the bias, and its plain path keeps every head's probabilities
until the backward pass: three gigabytes for two samples at OFA-base, read and written some ten times. Here the forward
pass is the fused kernel, and the backward pass makes the probabilities anew, a block of queries at a time, small
enough for the cache. Under a causal mask, keys that no query of a block sees are left out.

`tests/core/bases/test_biased_attention.py` holds it to the plain formula.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional as F

_BLOCK = 64  # queries whose probabilities exist at once: 4 MB at OFA-base


def biased_attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor, scale: float, causal: bool) -> Tensor:
    """`softmax(q k^T * scale + bias) v`, with a gradient for all four.

    Args:
        q: (B, heads, Q, e).
        k: (B, heads, K, e).
        v: (B, heads, K, e).
        bias: (heads, Q, K), the same for every sample; -inf forbids.
        scale: of the dot products.
        causal: the bias forbids every key after the query; those are not looked at.

    Returns:
        (B, heads, Q, e).
    """
    return _BiasedAttention.apply(q, k, v, bias, scale, causal)  # pyright: ignore[reportReturnType]


class _BiasedAttention(Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, bias: Tensor, scale: float, causal: bool) -> Tensor:
        ctx.save_for_backward(q, k, v, bias)
        ctx.scale, ctx.causal = scale, causal
        q, k, v, bias = (each.detach() for each in (q, k, v, bias))  # else torch takes its plain path
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias[None], scale=scale)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor | None, None, None]:
        (grad,) = grad_outputs
        q, k, v, bias = ctx.saved_tensors
        dq, dk, dv = torch.empty_like(q), torch.zeros_like(k), torch.zeros_like(v)
        dbias = torch.zeros_like(bias) if ctx.needs_input_grad[3] else None
        queries, keys = q.shape[2], k.shape[2]
        for first in range(0, queries, _BLOCK):
            rows = slice(first, min(first + _BLOCK, queries))
            seen = slice(0, rows.stop if ctx.causal else keys)
            for one in range(len(q)):
                back = grad[one, :, rows]
                scores = torch.baddbmm(bias[:, rows, seen], q[one, :, rows], k[one, :, seen].mT, alpha=ctx.scale)
                probabilities = scores.softmax(-1)
                dv[one, :, seen].baddbmm_(probabilities.mT, back)
                of_scores = torch.ops.aten._softmax_backward_data(
                    back @ v[one, :, seen].mT, probabilities, -1, scores.dtype
                )
                if dbias is not None:
                    dbias[:, rows, seen] += of_scores
                torch.mul(of_scores @ k[one, :, seen], ctx.scale, out=dq[one, :, rows])
                dk[one, :, seen].baddbmm_(of_scores.mT, q[one, :, rows], alpha=ctx.scale)
        return dq, dk, dv, dbias, None, None
