"""Pre-training of the built-in base's encoder and decoder on cells of captioned photographs. No mask is read.

Every update draws photographs and a vocabulary of its own, 5 to 40 names: some that their captions say (each one's
names are what the others do not show), scenery, and others. A cell's target is what the plain scores say, given what
the caption allows:

    q ~ (p A)^SHARP, smoothed;      A = 1 for scenery and names the caption says, 0.3 related or stuff, 0 else

and the loss is the cross-entropy to q, on cells where one name has more than half of it, of

    plain scores + added - mean over the batch of added

The last term matters. Without it what is learnt is one preference of names for all pictures, and nothing else; its
square costs besides. A few updates show clean words in place of cells, so that those stay readable: adaptation begins
there.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from builtin.base import fresh
from builtin.captioned import Photograph, Photographs, load
from builtin.captions import coordinates
from builtin.photographs import Source
from builtin.related import Related, related
from ifseg_cli.core.adaptation.optimiser import PublishedAdamW
from ifseg_cli.core.adaptation.resume import load_checkpoint, save_checkpoint
from ifseg_cli.core.bases.base import Grid
from ifseg_cli.core.bases.builtin.network import BuiltinNetwork
from ifseg_cli.core.bases.folder import LoadedModel
from ifseg_cli.core.files import sha256, write_atomic
from ifseg_cli.core.prediction.method.smoothing import smooth
from ifseg_cli.core.recipe import Optimiser
from ifseg_cli.core.vocabulary.prompt import prompt_ids

BATCH, BATCH_OF_LARGE = 12, 4  # photographs of an update: brought to one size, or as they are
RESIZED = 0.85  # share of updates with those that were brought to one size
OPTIMISER = Optimiser(
    steps=800, batch_size=BATCH, learning_rate=4e-4, warmup_steps=30, weight_decay=0.02, schedule="cosine"
)
AVERAGE = 0.98  # decay of the running average of the weights, which is what ships
SMALLEST, LARGEST = 5, 40  # names of a vocabulary
UNSURE = 0.3  # A of what the caption might mean
SHARP, ROUNDS = 1.5, 8  # of the target
CLEAR, THERE = 0.5, 0.05  # a cell counts if so much of its target is one name, and of its plain score allowed
CONSTANT = 1.0  # weight of the square of what is added on average
CLEAN = 0.05  # share of updates on clean words
SAVE_SECONDS = 180


@dataclass(frozen=True)
class Batch:
    """What one update sees; every second row and column of the photographs' cells."""

    names: list[int]
    cells: Tensor  # (B, N, d)
    target: Tensor  # (B, N, M), rows sum to 1
    counts: Tensor  # (B, N) booleans
    grid: Grid


def run(work: Path, sources: Sequence[Source], seed: int = 0) -> None:
    """Pre-train into `work`/pretrain/average.safetensors; resumes from its checkpoint."""
    folder = work / "pretrain"
    folder.mkdir(parents=True, exist_ok=True)
    base = fresh(work, captions=True)
    network = base.network
    assert isinstance(network, BuiltinNetwork)  # what `fresh` makes
    words = related(work, base.reader.tokenizer, len(network.embedding))
    reader = PhotographReader(network, load(work, sources, words), words, coordinates(work)["u"])
    optimiser = PublishedAdamW((each for _, each in network.trained_parameters()), OPTIMISER)
    space = sha256(work / "captions" / "captions.safetensors")
    identity = {"optimiser": OPTIMISER.model_dump(mode="json"), "seed": seed, "captions": space}
    checkpoint, average_file = folder / "checkpoint.safetensors", weights(work)
    first = load_checkpoint(checkpoint, network, optimiser, identity) if checkpoint.exists() else 0
    average = load_file(average_file) if first else {n: p.detach().clone() for n, p in network.trained_parameters()}
    network.train()
    saved, begun, gains = time.monotonic(), time.monotonic(), list[float]()
    for update in range(first, OPTIMISER.steps):
        gains.append(train_step(base, reader.batch(update, seed), optimiser, update))
        blend(average, network, min(AVERAGE, (1 + update) / (10 + update)))
        if (update + 1) % 50 == 0:
            speed = (time.monotonic() - begun) / (update + 1 - first)
            told = f"pretrain: update {update + 1} of {OPTIMISER.steps}, {speed:.2f} s each"
            print(f"{told}, {mean(gains[-50:]):.3f} below the plain loss", file=sys.stderr, flush=True)
        if time.monotonic() - saved > SAVE_SECONDS or update + 1 == OPTIMISER.steps:
            write_atomic(average_file, lambda path: save_file(average, path))
            save_checkpoint(checkpoint, network, optimiser, update + 1, identity)
            saved = time.monotonic()
    checkpoint.unlink()  # what is finished begins anew when it is asked for again


def train_step(base: LoadedModel, batch: Batch, optimiser: PublishedAdamW, update: int) -> float:
    """One update.

    Returns:
        How much lower the loss is than that of the plain scores.
    """
    network = base.network
    assert isinstance(network, BuiltinNetwork)
    pieces = [[[name]] for name in batch.names]
    network.set_vocabulary(prompt_ids(base.reader.tokenizer, base.reader.prompt, [[n] for n in batch.names]), pieces)
    added = network.features(batch.cells, batch.grid)[:, :-1] @ network.rows.T
    plain = batch.cells @ network.rows.T
    constant = added.mean((0, 1))
    loss = cross_entropy(plain + added - constant, batch)
    (loss + CONSTANT * constant.square().mean()).backward()
    optimiser.step(update)
    with torch.no_grad():
        return (cross_entropy(plain, batch) - loss).item()


def cross_entropy(scores: Tensor, batch: Batch) -> Tensor:
    """Mean cross-entropy of scores (B, N, M) to the target, over the cells that count."""
    each = -(batch.target * scores.log_softmax(-1)).sum(-1)
    return (each * batch.counts).sum() / batch.counts.sum().clamp_min(1)


class PhotographReader:
    """Draws batches; batch n is a function of n and the seed alone.

    Args:
        network: the space, captions' coordinates included.
        photos: all cells of every photograph.
        words: what binds the names.
        u: (k, 384), the captions' coordinates of a cell's principal coordinates.
    """

    def __init__(self, network: BuiltinNetwork, photos: Photographs, words: Related, u: Tensor) -> None:
        self.rows, self.photos, self.words, self.u = network.embedding.clone(), photos, words, u
        sizes = [{photo.grid for photo in photos.all if photo.source == source} for source in self._sources()]
        same = {source for source, grids in zip(self._sources(), sizes, strict=True) if len(grids) == 1}
        everyone = np.arange(len(photos.all))
        resized = np.array([photo.source in same for photo in photos.all])
        self.resized, self.large = everyone[resized], everyone[~resized]

    def _sources(self) -> list[int]:
        return sorted({photo.source for photo in self.photos.all})

    @torch.no_grad()
    def batch(self, update: int, seed: int) -> Batch:
        """The batch of an update."""
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy=seed, spawn_key=(1, update))))
        chosen = self._photographs(rng)
        said = [self._said(photo) for photo in chosen]
        if rng.random() < 0.25:
            said = [self._as_animal(names) for names in said]
        names = self._names(said, rng)
        row, column = int(rng.integers(2)), int(rng.integers(2))
        flip = rng.random() < 0.5
        read = [self._read(p, s, names, row, column, flip) for p, s in zip(chosen, said, strict=True)]
        cells, target, counts = (torch.stack(each) for each in zip(*read, strict=True))
        grid = (cells.shape[1], cells.shape[2])
        batch = Batch(names, cells.flatten(1, 2), target.flatten(1, 2), counts.flatten(1, 2), grid)
        return self._clean(batch, rng) if rng.random() < CLEAN else batch

    def _photographs(self, rng: np.random.Generator) -> list[Photograph]:
        """Photographs of one grid."""
        everyone, wanted = self.photos.all, self.photos.wanted
        resized = len(self.large) == 0 or (rng.random() < RESIZED and len(self.resized) > 0)
        pool = self.resized if resized else self.large
        grid = everyone[rng.choice(pool)].grid
        pool = np.array([number for number in pool if everyone[number].grid == grid])
        number = BATCH if resized else BATCH_OF_LARGE
        return [everyone[i] for i in rng.choice(pool, number, p=wanted[pool] / wanted[pool].sum())]

    def _said(self, photo: Photograph) -> set[int]:
        """The names its captions say; people are all `person`, and their clothes theirs."""
        words, said = self.words, set(photo.said)
        if said & words.people:
            said = (said - words.people - words.clothes) | {words.person}
        return said - words.body

    def _as_animal(self, said: set[int]) -> set[int]:
        return (said - self.words.animals) | {self.words.animal} if said & self.words.animals else said

    def _names(self, said: Sequence[set[int]], rng: np.random.Generator) -> list[int]:
        """A vocabulary for all photographs of a batch."""
        words, (named, share) = self.words, self.photos.named
        union = sorted(set().union(*said))
        rng.shuffle(union)
        count = int(rng.integers(SMALLEST, LARGEST + 1))
        names = dict.fromkeys(union[: max(3, int(count * rng.uniform(0.3, 0.8)))])
        if words.person in union and rng.random() < 0.7:
            names[words.person] = None
        scenery = rng.permutation(words.scenery)[: int(rng.integers(0, 16))].tolist()
        names |= dict.fromkeys([name for name in scenery if name not in names][: max(0, count - len(names)) + 3])
        others = [
            *rng.choice(named, min(20, len(named)), replace=False, p=share),
            *rng.choice(words.words, 6, replace=False),
        ]
        rng.shuffle(others)
        shunned = words.people | words.body | words.clothes
        for other in others:
            if len(names) < count and other not in shunned:
                names[int(other)] = None
        listed = list(names)
        rng.shuffle(listed)
        return listed

    def _read(
        self, photo: Photograph, said: set[int], names: list[int], row: int, column: int, flip: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Cells (h', w', d), target (h', w', M) and which cells count (h', w')."""
        near, words = self.words.near(photo.said.keys() | said), self.words
        allowed = torch.zeros(len(names))
        for place, name in enumerate(names):
            if name in said or name in words.scenery:
                allowed[place] = 1.0
            elif near[name] or name in words.stuff:
                allowed[place] = UNSURE
        told = photo.head.float() @ self.u.T
        seen = photo.cells.float()
        cells = torch.cat([seen[:, :-1], told, seen[:, -1:]], dim=1)
        p = (cells @ self.rows[names].T).softmax(-1)
        q = (p * (allowed + 1e-4)) ** SHARP
        q = smooth((q / q.sum(-1, keepdim=True))[None], photo.neighbours.long()[None], ROUNDS)[0]
        counts = (q.amax(-1) > CLEAR) & (p[:, allowed > 0].sum(-1) > THERE)
        maps = [each.unflatten(0, photo.grid)[row::2, column::2] for each in (cells, q, counts)]
        cells, q, counts = (each.flip(1) for each in maps) if flip else maps
        return cells, q, counts

    def _clean(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Words in blocks of two by two cells, with a little of the photographs on them."""
        (height, width), count = batch.grid, len(batch.names)
        coarse = rng.integers(0, count, (len(batch.cells), -(-height // 2), -(-width // 2)))
        blocks = torch.from_numpy(coarse).repeat_interleave(2, 1).repeat_interleave(2, 2)
        ids = blocks[:, :height, :width].flatten(1)
        cells = self.rows[batch.names][ids] + 0.3 * batch.cells
        return Batch(
            batch.names, cells, F.one_hot(ids, count).float(), torch.ones(ids.shape, dtype=torch.bool), batch.grid
        )


@torch.no_grad()
def blend(average: dict[str, Tensor], network: BuiltinNetwork, decay: float) -> None:
    """Move the running average towards the weights."""
    for name, parameter in network.trained_parameters():
        average[name].lerp_(parameter, 1 - decay)


def weights(work: Path) -> Path:
    """The file of the averaged weights."""
    return work / "pretrain" / "average.safetensors"
