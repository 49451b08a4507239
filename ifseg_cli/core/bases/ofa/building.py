"""Tensors -> a model: entries compared both ways, nothing initialised only to be overwritten, garbage refused.

The model is made without memory (torch's meta device) and takes the tensors as they are, so a memory-mapped float32
file costs no memory until it is read; half-precision tensors are widened one by one, each as its narrow one goes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ifseg_cli.core.bases.ofa.config import ModelConfig
from ifseg_cli.core.bases.ofa.decoder import shift_right
from ifseg_cli.core.bases.ofa.initialise import STD, WithoutWeights
from ifseg_cli.core.bases.ofa.keymap import is_fresh
from ifseg_cli.core.bases.ofa.network import ofa_network
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.errors import CheckpointError
from ifseg_cli.core.weights.reading import FLOATS

Shapes = dict[str, tuple[int, ...]]
NAMED = 3  # entries listed of each fault
FRESH_SEED = 0  # what a bare OFA lacks is drawn the same way every time
HIGHEST = 1e6  # no feature of a trained model comes near


def build_segmenter(
    config: ModelConfig, weights: dict[str, Tensor], source: str, make: Callable[[ModelConfig], Segmenter] = ofa_network
) -> Segmenter:
    """Make a model around weights.

    Args:
        config: the sizes.
        weights: under our names; emptied on the way, so that no tensor is held twice.
        source: the file, for errors.
        make: the family's network.

    Raises:
        CheckpointError: an entry is missing, left over, of another shape or kind, or holds a value that is no number.
    """
    segmenter = _without_memory(config, make)
    wanted = segmenter.state_dict()
    check_entries(shapes_of(wanted), shapes_of(weights), source)
    whole: dict[str, Tensor] = {}
    while weights:
        name, tensor = weights.popitem()
        whole[name] = checked(name, tensor, wanted[name].dtype, source)
    segmenter.load_state_dict(whole, strict=True, assign=True)
    for name, parameter in segmenter.named_parameters():
        parameter.requires_grad_(not name.startswith(("embed_tokens.", "backbone.", "image_proj.")))
    segmenter.rows, segmenter.first = torch.zeros(0, config.dim), torch.zeros(0, dtype=torch.long)
    segmenter.prompt_ids = torch.zeros(0, dtype=torch.long)
    return segmenter


def _without_memory(config: ModelConfig, make: Callable[[ModelConfig], Segmenter] = ofa_network) -> Segmenter:
    with torch.device("meta"), WithoutWeights():
        return make(config)


def shapes_of(tensors: dict[str, Tensor]) -> Shapes:
    """Name -> shape."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def check_entries(wanted: Shapes, found: Shapes, source: str) -> None:
    """Compare names and shapes both ways.

    Raises:
        CheckpointError: they differ; names what is missing, left over and of another shape.
    """
    missing = [f"{name} {wanted[name]}" for name in wanted if name not in found]
    left_over = [f"{name} {found[name]}" for name in found if name not in wanted]
    other = [f"{n} {found[n]} not {wanted[n]}" for n in wanted if n in found and found[n] != wanted[n]]
    faults = [
        f"{len(names)} {title}: {', '.join(names[:NAMED])}{' ...' if len(names) > NAMED else ''}"
        for title, names in (("missing", missing), ("left over", left_over), ("of another shape", other))
        if names
    ]
    if faults:
        raise CheckpointError(f"{source} does not hold this model: {'; '.join(faults)}")


def checked(name: str, tensor: Tensor, kind: torch.dtype, source: str) -> Tensor:
    """The tensor in float32 where the model has numbers; entries of other kinds (index tables) as they are.

    Args:
        name: the entry's, for errors.
        tensor: as the file gives it.
        kind: what the model has there.
        source: the file, for errors.

    Raises:
        CheckpointError: it is sparse, quantized, without values, of another kind, or holds what is no number.
    """
    if not _is_plain(tensor):
        raise CheckpointError(f"{source}: {name} is no plain tensor", "dense tensors with values")
    if tensor.dtype == kind and not tensor.is_floating_point():
        return tensor
    if tensor.dtype not in FLOATS or not kind.is_floating_point:
        raise CheckpointError(f"{source}: {name} is of {_short(tensor.dtype)}", _short(kind), "use another file")
    tensor = tensor.float().contiguous()
    # The sum is a number only if all are; unlike a mask of all values it takes no memory.
    if not math.isfinite(tensor.sum().item()):
        raise CheckpointError(f"{source}: {name} holds values that are no numbers", remedy="fetch it again")
    return tensor


def _is_plain(tensor: Tensor) -> bool:
    """Dense, on the CPU, and with as many values in the file as its shape says: one value repeated is no weight."""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
        return False
    return tensor.untyped_storage().nbytes() >= tensor.numel() * tensor.element_size()


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def add_fresh(config: ModelConfig, weights: dict[str, Tensor]) -> None:
    """Add what a pre-trained OFA lacks for segmentation: positions and tables N(0, 0.02), norm 1 and 0.

    As the published program starts them; the draw is the same every time. A file that holds some of these entries is
    not touched: the rest is then missing by mistake.
    """
    if any(is_fresh(name) for name in weights):
        return
    generator = torch.Generator().manual_seed(FRESH_SEED)
    for name, shape in shapes_of(_without_memory(config).state_dict()).items():
        if not is_fresh(name):
            continue
        if "seg_pos_ln" in name:
            weights[name] = torch.ones(shape) if name.endswith("weight") else torch.zeros(shape)
        else:
            weights[name] = torch.empty(shape).normal_(0.0, STD, generator=generator)


@torch.no_grad()
def require_sense(segmenter: Segmenter, source: str) -> None:
    """Show two small pictures to a model just loaded; a few tenths of a second before hours of work.

    Raises:
        CheckpointError: what comes out is no numbers, is absurdly large, or the same whatever is looked at.
    """
    config, text = segmenter.config, segmenter.embed_tokens(torch.tensor([0, min(5, segmenter.config.tokens - 1)]))
    noise = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(1)) * 2 - 1
    slope = torch.linspace(-1, 1, 48).expand(1, 3, 32, 48)
    seen = segmenter.see(torch.cat([noise, slope]))
    bias = segmenter.encoder.bias(seen.grid, len(text))
    memory = segmenter.encoder(seen.cells, text, bias)
    inputs = shift_right(segmenter.embed_tokens.weight[0], memory[:, : seen.cells.shape[1]])
    features = segmenter.decoder(inputs, memory, segmenter.decoder.cell_bias(seen.grid, bias))
    # torch's maximum is no number if one of them is none; Python's passes over it
    top = torch.stack([each.abs().max() for each in (seen.similarity, memory, features)]).max().item()
    if not math.isfinite(top) or top > HIGHEST:
        fault = f"gives values up to {top:.0e}"
    elif (features[0] - features[1]).abs().max() < 1e-6:
        fault = "gives the same answer whatever it looks at"
    else:
        return
    remedy = "fetch it again, or use another file"
    raise CheckpointError(
        f"{source} holds a model of these sizes ({config.dim} wide) that {fault}", "a trained model", remedy
    )
