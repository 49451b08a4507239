"""What the frozen backbone sees in photographs, kept on disk: a shard of 64 photographs at a time, resumable.

    seen/head.safetensors      principal coordinates of the classifier's last features, and how these are spread
    seen/KEY/0000.safetensors  cells (N, d) and head (N, 384) in half precision, neighbours (N, 3), grids (64, 2)
    seen/KEY/names.json        the photographs in their order, with the words of their captions

No mask is read, and no photograph is kept.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
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
COORDINATES = 384  # principal coordinates of the classifier's last features that are kept
NEIGHBOURS = 3  # the most similar other cells that are kept for each: as many as the recipe `quick` smooths with
SAMPLE = 100  # photographs of each source that the principal directions are found from
EVERY, ROWS = 3, 20_000  # of their cells: every third, and so many in all


@dataclass(frozen=True)
class Seen:
    """One photograph, as the backbone sees it."""

    name: str
    words: dict[str, int]  # canonical word -> captions that say it
    cells: Tensor  # (N, d) half
    head: Tensor  # (N, 384) half: coordinates of `Head`
    neighbours: Tensor  # (N, 3) int16
    grid: tuple[int, int]


@dataclass(frozen=True)
class Head:
    """Principal coordinates of the classifier's last features, each of deviation 1: x = ((f - mean) T') / scale."""

    mean: Tensor  # (1280,)
    directions: Tensor  # (384, 1280)
    scale: Tensor  # (384,)
    covariance: Tensor  # (1280, 1280) of the features of photographs in their own size
    own_mean: Tensor  # (1280,) of the same

    def __call__(self, features: Tensor) -> Tensor:
        """(..., 1280) -> (..., 384)."""
        return ((features - self.mean) @ self.directions.T) / self.scale

    @classmethod
    def read(cls, work: Path) -> Head:
        """As the stage `see` found them."""
        return cls(**load_file(work / "seen" / "head.safetensors"))  # pyright: ignore[reportArgumentType]


@dataclass(frozen=True)
class Viewer:
    """Sees shards of a source, in a process of its own."""

    network: BuiltinNetwork
    head: Head
    source: Source
    folder: Path

    @torch.inference_mode()
    def see(self, shard: int) -> int:
        """Keep a shard; returns how many photographs it has."""
        torch.set_num_threads(1)  # two processes are faster than two threads, and sums do not depend on the machine
        photos = list(islice(read(self.source, shard * SHARD), SHARD))
        tensors = _shard(self.network, self.head, self.source, photos)
        write_atomic(self.folder / f"{shard:04d}.safetensors", lambda path: save_file(tensors, path))
        return len(photos)


@torch.inference_mode()
def keep(work: Path, network: BuiltinNetwork, known: KnownWords, sources: Sequence[Source]) -> None:
    """See every photograph once; what lies in `work/seen` is not seen again."""
    folder = work / "seen"
    head = _head(work, network, sources)
    for source in sources:
        own = folder / source.key
        _names(own, source, known)
        shards = range(-(-len(_words_of(own)) // SHARD))
        missing = [shard for shard in shards if not (own / f"{shard:04d}.safetensors").exists()]
        viewer, started, done = Viewer(network, head, source, own), time.perf_counter(), 0
        with ProcessPoolExecutor(os.cpu_count(), get_context("fork")) as pool:
            for number in pool.map(viewer.see, missing):
                done += number
                speed = (time.perf_counter() - started) / done
                print(f"{source.photos.name}: {done} seen, {speed:.2f} s each", file=sys.stderr, flush=True)


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
            cells, head, neighbours = (tensors[key][here] for key in ("cells", "head", "neighbours"))
            yield Seen(name, said, cells, head, neighbours, (height, width))


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


def _head(work: Path, network: BuiltinNetwork, sources: Sequence[Source]) -> Head:
    """The principal directions of the last features in photographs, found once.

    Directions are of features divided by their deviations: the loudest of 1,280 would fill them otherwise.
    """
    path = work / "seen" / "head.safetensors"
    if not path.exists():
        sampled = {source: torch.cat(list(_sampled(network, source))) for source in sources}
        rows = torch.cat(list(sampled.values()))
        mean, deviation = rows.mean(0), rows.std(0) + 1e-3
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:ROWS]
        _, values, vectors = torch.linalg.svd(((rows - mean) / deviation)[order], full_matrices=False)
        own = torch.cat([rows for source, rows in sampled.items() if source.size is None] or [rows])
        made = {
            "mean": mean,
            "directions": (vectors[:COORDINATES] / deviation).contiguous(),
            "scale": values[:COORDINATES] / len(order) ** 0.5,
            "covariance": torch.cov(own.T),
            "own_mean": own.mean(0),
        }
        write_atomic(path, lambda temporary: save_file(made, temporary))
    return Head.read(work)


def _sampled(network: BuiltinNetwork, source: Source) -> Iterator[Tensor]:
    """Last features of evenly spread photographs of a source."""
    number = len(captions(source))
    step = max(1, number // SAMPLE)
    for photo in islice(read(source), 0, SAMPLE * step, step):
        yield _see(network, source, photo).head[0].flatten(1).T[::EVERY]


def _shard(network: BuiltinNetwork, head: Head, source: Source, photos: Sequence[Photo]) -> dict[str, Tensor]:
    cells: list[Tensor] = []
    heads: list[Tensor] = []
    neighbours: list[Tensor] = []
    grids: list[tuple[int, int]] = []
    for photo in photos:
        features = _see(network, source, photo)
        z, q = network.projection.evidence(features)
        cells.append(network.projection.cells(z, q)[0].half())
        heads.append(head(features.head[0].flatten(1).T).half())
        neighbours.append(nearest_cells(features.similarity, NEIGHBOURS)[0].to(torch.int16))
        grids.append((features.head.shape[2], features.head.shape[3]))
    kept = {"cells": cells, "head": heads, "neighbours": neighbours}
    return {name: torch.cat(each).contiguous() for name, each in kept.items()} | {"grids": torch.tensor(grids)}


def _see(network: BuiltinNetwork, source: Source, photo: Photo) -> Features:
    facts, (height, width, _) = network.pictures, photo.pixels.shape
    size = source.size or target_size(height, width, facts.short_side, facts.long_side)
    seen = network.backbone(normalise(resize(photo.pixels, size), facts.mean, facts.std))
    assert isinstance(seen, Features)
    return seen
