"""What the frozen backbone sees in photographs, kept on disk: a shard of 64 photographs at a time, resumable.

    seen/pca.safetensors       mean, directions (384, 1280) and scales of the classifier's last features
    seen/KEY/0000.safetensors  cells e (N, d), head (N, 384) and mid (N, 235) in half precision, grids (64, 2)
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

from builtin.photographs import Photo, Place, Source, captions, read, stop_words, words
from ifseg_cli.core.bases.builtin.efficientnet import Features
from ifseg_cli.core.bases.builtin.network import BuiltinNetwork
from ifseg_cli.core.files import write_atomic, write_json
from ifseg_cli.core.images.resize import normalise, resize, target_size
from ifseg_cli.core.vocabulary.known import KnownWords

SHARD = 64  # photographs of a file
HEADS = 384  # principal coordinates of the classifier's last features that are kept
SAMPLE = 60  # photographs of each source that the principal directions are found from
EVERY, ROWS = 3, 20_000  # of their cells: every third, and so many in all


@dataclass(frozen=True)
class Seen:
    """One photograph, as the backbone sees it."""

    name: str
    words: dict[str, int]  # canonical word -> captions that say it
    cells: Tensor  # (N, d) half
    head: Tensor  # (N, 384) half
    mid: Tensor  # (N, 235) half
    grid: tuple[int, int]


@dataclass(frozen=True)
class Heads:
    """Principal coordinates of the head's features: x = ((f - mean) T') / scale."""

    mean: Tensor  # (1280,)
    directions: Tensor  # (384, 1280)
    scale: Tensor  # (384,)

    def __call__(self, head: Tensor) -> Tensor:
        """(N, 1280) -> (N, 384)."""
        return ((head - self.mean) @ self.directions.T) / self.scale


@torch.inference_mode()
def keep(work: Path, network: BuiltinNetwork, known: KnownWords, sources: Sequence[Source]) -> None:
    """See every photograph once; what lies in `work/seen` is not seen again."""
    folder = work / "seen"
    heads = _heads(folder, network, sources)
    for source in sources:
        _names(folder / source.key, source, known)
        number = len(_words_of(folder / source.key))
        started, done = time.perf_counter(), 0
        for shard in range(-(-number // SHARD)):
            path = folder / source.key / f"{shard:04d}.safetensors"
            if path.exists():
                continue
            photos = list(islice(read(source, shard * SHARD), SHARD))
            tensors = _shard(network, heads, source, photos)
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
            parts = (tensors[key][here] for key in ("cells", "head", "mid"))
            yield Seen(name, said, *parts, (height, width))


def _names(folder: Path, source: Source, known: KnownWords) -> None:
    """The order of the photographs, and their words."""
    if (folder / "names.json").exists():
        return
    stop, told = stop_words(), captions(source)
    with Place(source.photos) as place:
        there = sorted(set(place.names) & set(told))
    write_json(folder / "names.json", {name: words(told[name], known, stop) for name in there})


def _words_of(folder: Path) -> dict[str, dict[str, int]]:
    """Photograph -> canonical word -> captions that say it, in the order of the shards."""
    return json.loads((folder / "names.json").read_text(encoding="utf-8"))


def _heads(folder: Path, network: BuiltinNetwork, sources: Sequence[Source]) -> Heads:
    """The principal directions of the head's features, found once."""
    path = folder / "pca.safetensors"
    if not path.exists():
        rows = torch.cat([row for source in sources for row in _sampled(network, source)])
        mean, deviation = rows.mean(0), rows.std(0) + 1e-3
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:ROWS]
        _, values, vectors = torch.linalg.svd(((rows - mean) / deviation)[order], full_matrices=False)
        made = {"mean": mean, "directions": (vectors[:HEADS] / deviation).contiguous()}
        made["scale"] = values[:HEADS] / len(order) ** 0.5
        write_atomic(path, lambda temporary: save_file(made, temporary))
    return Heads(**load_file(path))


def _sampled(network: BuiltinNetwork, source: Source) -> Iterator[Tensor]:
    """Head features of evenly spread photographs of a source."""
    number = len(captions(source))
    step = max(1, number // SAMPLE)
    for photo in islice(read(source), 0, SAMPLE * step, step):
        yield _see(network, source, [photo]).head[0].flatten(1).T[::EVERY].float()


def _shard(network: BuiltinNetwork, heads: Heads, source: Source, photos: Sequence[Photo]) -> dict[str, Tensor]:
    cells: list[Tensor] = []
    head: list[Tensor] = []
    mid: list[Tensor] = []
    grids: list[tuple[int, int]] = []
    batch = 8 if source.size is not None else 1
    for at in range(0, len(photos), batch):
        features = _see(network, source, photos[at : at + batch])
        z, q = network.projection.evidence(features)
        cells.append(network.projection.cells(z, q).flatten(0, 1).half())
        flat_head, flat_mid = (each.flatten(2).transpose(1, 2).flatten(0, 1) for each in (features.head, features.mid))
        head.append(heads(flat_head).half())
        mid.append(flat_mid.half())
        grids += [(features.head.shape[2], features.head.shape[3])] * features.head.shape[0]
    tensors = {"cells": torch.cat(cells), "head": torch.cat(head), "mid": torch.cat(mid)}
    return {name: each.contiguous() for name, each in tensors.items()} | {"grids": torch.tensor(grids)}


def _see(network: BuiltinNetwork, source: Source, photos: Sequence[Photo]) -> Features:
    """Photographs of one size -> features."""
    facts = network.pictures
    sizes = [source.size or target_size(*photo.pixels.shape[:2], facts.short_side, facts.long_side) for photo in photos]
    resized = [resize(photo.pixels, size) for photo, size in zip(photos, sizes, strict=True)]
    seen = network.backbone(torch.cat([normalise(pixels, facts.mean, facts.std) for pixels in resized]))
    assert isinstance(seen, Features)
    return seen
