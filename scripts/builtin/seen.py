"""What the frozen backbone sees in photographs, kept on disk: a shard of 64 photographs at a time, resumable.

    seen/logits.safetensors    mean, directions (384, 1000) and scales of the principal coordinates of class logits
    seen/KEY/0000.safetensors  cells (N, d) and logits (N, 384) in half precision, neighbours (N, 3), grids (64, 2)
    seen/KEY/names.json        the photographs in their order, with the words of their captions

No mask is read, and no photograph is kept.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from builtin.photographs import Photo, Place, Source, captions, listed, read, words
from ifseg_cli.core.bases.builtin.efficientnet import Features
from ifseg_cli.core.bases.builtin.network import BuiltinNetwork
from ifseg_cli.core.files import write_atomic, write_json
from ifseg_cli.core.images.resize import normalise, resize, target_size
from ifseg_cli.core.prediction.method.smoothing import nearest_cells
from ifseg_cli.core.vocabulary.known import KnownWords

SHARD = 64  # photographs of a file
COORDINATES = 384  # principal coordinates of class logits that are kept
NEIGHBOURS = 3  # the most similar other cells that are kept for each: as many as the recipe `quick` smooths with
SAMPLE = 60  # photographs of each source that the principal directions are found from
EVERY, ROWS = 3, 20_000  # of their cells: every third, and so many in all


@dataclass(frozen=True)
class Seen:
    """One photograph, as the backbone sees it."""

    name: str
    words: dict[str, int]  # canonical word -> captions that say it
    cells: Tensor  # (N, d) half
    logits: Tensor  # (N, 384) half: `Principal` coordinates
    neighbours: Tensor  # (N, 3) int16
    grid: tuple[int, int]


@dataclass(frozen=True)
class Principal:
    """Principal coordinates of class logits, each of deviation 1: x = ((z - mean) T') / scale."""

    mean: Tensor  # (1000,)
    directions: Tensor  # (384, 1000)
    scale: Tensor  # (384,)

    def __call__(self, z: Tensor) -> Tensor:
        """(..., 1000) -> (..., 384)."""
        return ((z - self.mean) @ self.directions.T) / self.scale

    @classmethod
    def read(cls, work: Path) -> Principal:
        """As the stage `see` found them."""
        kept = load_file(work / "seen" / "logits.safetensors")
        return cls(kept["mean"], kept["directions"], kept["scale"])


@torch.inference_mode()
def keep(work: Path, network: BuiltinNetwork, known: KnownWords, sources: Sequence[Source]) -> None:
    """See every photograph once; what lies in `work/seen` is not seen again."""
    folder = work / "seen"
    principal = _principal(work, network, sources)
    for source in sources:
        _names(folder / source.key, source, known)
        number = len(_words_of(folder / source.key))
        started, done = time.perf_counter(), 0
        for shard in range(-(-number // SHARD)):
            path = folder / source.key / f"{shard:04d}.safetensors"
            if path.exists():
                continue
            photos = list(islice(read(source, shard * SHARD), SHARD))
            tensors = _shard(network, principal, source, photos)
            write_atomic(path, lambda temporary, tensors=tensors: save_file(tensors, temporary))
            done += len(photos)
            speed = (time.perf_counter() - started) / done
            left = number - shard * SHARD - len(photos)
            print(f"{source.photos.name}: {number - left} of {number}, {speed:.2f} s each", file=sys.stderr, flush=True)


def load(work: Path, source: Source) -> Iterator[Seen]:
    """What was kept of a source, in order."""
    folder = work / "seen" / source.key
    names = list(_words_of(folder).items())
    for path in sorted(folder.glob("[0-9]*.safetensors")):
        tensors = load_file(path)
        first, at = int(path.stem) * SHARD, 0
        for (name, said), (height, width) in zip(names[first:], tensors["grids"].tolist(), strict=False):
            here = slice(at, at + height * width)
            at += height * width
            cells, logits, neighbours = (tensors[key][here] for key in ("cells", "logits", "neighbours"))
            yield Seen(name, said, cells, logits, neighbours, (height, width))


def _names(folder: Path, source: Source, known: KnownWords) -> None:
    """The order of the photographs, and their words."""
    if (folder / "names.json").exists():
        return
    stop, told = frozenset(listed("stop")), captions(source)
    with Place(source.photos) as place:
        there = sorted(set(place.names) & set(told))
    write_json(folder / "names.json", {name: words(told[name], known, stop) for name in there})


def _words_of(folder: Path) -> dict[str, dict[str, int]]:
    """Photograph -> canonical word -> captions that say it, in the order of the shards."""
    return json.loads((folder / "names.json").read_text(encoding="utf-8"))


def _principal(work: Path, network: BuiltinNetwork, sources: Sequence[Source]) -> Principal:
    """The principal directions of class logits in photographs, found once."""
    path = work / "seen" / "logits.safetensors"
    if not path.exists():
        rows = torch.cat([row for source in sources for row in _sampled(network, source)])
        mean = rows.mean(0)
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:ROWS]
        _, values, vectors = torch.linalg.svd((rows - mean)[order], full_matrices=False)
        made = {"mean": mean, "directions": vectors[:COORDINATES].contiguous()}
        made["scale"] = values[:COORDINATES] / len(order) ** 0.5
        write_atomic(path, lambda temporary: save_file(made, temporary))
    return Principal.read(work)


def _sampled(network: BuiltinNetwork, source: Source) -> Iterator[Tensor]:
    """Class logits of evenly spread photographs of a source."""
    number = len(captions(source))
    step = max(1, number // SAMPLE)
    for photo in islice(read(source), 0, SAMPLE * step, step):
        z, _ = network.projection.evidence(_see(network, source, [photo]))
        yield z[0, ::EVERY]


def _shard(network: BuiltinNetwork, principal: Principal, source: Source, photos: Sequence[Photo]) -> dict[str, Tensor]:
    cells: list[Tensor] = []
    logits: list[Tensor] = []
    neighbours: list[Tensor] = []
    grids: list[tuple[int, int]] = []
    batch = 8 if source.size is not None else 1
    for at in range(0, len(photos), batch):
        features = _see(network, source, photos[at : at + batch])
        z, q = network.projection.evidence(features)
        cells.append(network.projection.cells(z, q).flatten(0, 1).half())
        logits.append(principal(z).flatten(0, 1).half())
        neighbours.append(nearest_cells(features.similarity, NEIGHBOURS).flatten(0, 1).to(torch.int16))
        grids += [(features.head.shape[2], features.head.shape[3])] * features.head.shape[0]
    kept = {"cells": cells, "logits": logits, "neighbours": neighbours}
    return {name: torch.cat(each).contiguous() for name, each in kept.items()} | {"grids": torch.tensor(grids)}


def _see(network: BuiltinNetwork, source: Source, photos: Sequence[Photo]) -> Features:
    """Photographs of one size -> features."""
    facts = network.pictures
    shapes = [photo.pixels.shape for photo in photos]
    sizes = [source.size or target_size(h, w, facts.short_side, facts.long_side) for h, w, _ in shapes]
    resized = [resize(photo.pixels, size) for photo, size in zip(photos, sizes, strict=True)]
    seen = network.backbone(torch.cat([normalise(pixels, facts.mean, facts.std) for pixels in resized]))
    assert isinstance(seen, Features)
    return seen
