"""Words from captions: more coordinates of the space, learnt from captions as labels of whole photographs.

    score(cell, w) = e . row_w  +  STRENGTH * (U x) . v_w

x are the principal coordinates of the classifier's last features, of mean 0 and deviation 1; U (64 x 384) and the
words' v_w are learnt, v_w = 0 for words that fewer than LEAST photographs name. A caption says which names a photograph
shows, not where; scenery may be anywhere. So each cell shows one of the names that may be there, and each name that two
captions say is somewhere:

    L = - mean over cells of log sum_w A_w p(w | cell)
        - 0.3 mean over sure w of log (mean of the p(w) of the twelfth of the cells that show w most)
        + 0.02 mean (U x . v_w)^2

A_w: 1 if two captions say w and for scenery, 0.8 if one does, 0.25 for other stuff, 0 for names that are not there.
The mean of three runs is brought back to 64 directions by an SVD, and U x is written as R z + r, linear in the cell's
class logits z: artificial cells have those, not features. No mask is read.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from builtin.base import fresh
from builtin.captioned import Photograph, Photographs, load
from builtin.photographs import Source
from builtin.related import Related, related
from builtin.seen import Head
from builtin.stages import save
from ifseg_cli.core.bases.builtin.evidence import EvidenceProjection
from ifseg_cli.core.bases.builtin.network import BuiltinNetwork

COORDINATES = 64
STRENGTH = 0.4  # less than 1, because all that is learnt overshoots; chosen on labelled photographs (docs/log.md)
LEAST = 8  # photographs that name a word, from which on it learns
ONCE, SCENERY, STUFF = 0.8, 1.0, 0.25  # A of a word that one caption says, of scenery, of other stuff
SOMEWHERE, QUIET = 0.3, 0.02  # weights of the loss's second and third term
MOST_CELLS = 220  # of a photograph in a step
BATCH, WARM = 32, 30
RATE, DECAY = 2e-3, 1e-4
RIDGE = 1e-3


@dataclass(frozen=True)
class Run:
    """One training."""

    seed: int
    epochs: float
    absent: int  # names that captions know and this photograph's do not


RUNS = (Run(0, 2.5, 14), Run(10, 1.5, 14), Run(11, 1.5, 24))


@dataclass(frozen=True)
class Learnt:
    """u (k, 384) and v (tokens, k): (u x) . v_w is what w scores beyond its classes."""

    u: Tensor
    v: Tensor


def run(work: Path, sources: Sequence[Source]) -> None:
    """captions/captions.safetensors: caption_weight, caption_bias, the words' coordinates `rows`, and `u`."""
    base = fresh(work)
    network, rows = base.network, base.network.embedding.clone()
    assert isinstance(network, BuiltinNetwork)  # what `fresh` makes
    words = related(work, base.reader.tokenizer, len(rows))
    photos = load(work, sources, words, every=2)
    learnt = mean([learn(photos, words, rows, each) for each in RUNS], COORDINATES)
    weight, bias, share = from_logits(learnt.u, Head.read(work), photos, network.projection)
    told = {"caption_weight": weight, "caption_bias": bias, "rows": STRENGTH * learnt.v, "u": learnt.u}
    save(work / "captions" / "captions.safetensors", told)
    print(f"class logits tell {share:.1%} of what the features tell", file=sys.stderr)
    print(f"{int((learnt.v != 0).any(1).sum())} words learnt from {len(photos.all)} photographs", file=sys.stderr)


def coordinates(work: Path) -> dict[str, Tensor]:
    """What the stage kept."""
    return load_file(work / "captions" / "captions.safetensors")


@dataclass(frozen=True)
class Names:
    """The names of one photograph in one step."""

    there: dict[int, float]  # name -> how sure
    perhaps: dict[int, float]
    absent: list[int]


def draw(photo: Photograph, photos: Photographs, words: Related, absent: int, rng: np.random.Generator) -> Names:
    """What a photograph's captions say, what may be there besides, and what is not there."""
    there = {word: 1.0 if count > 1 else ONCE for word, count in photo.said.items()}
    people = words.people & there.keys()
    if people and rng.random() < 0.75:
        surest = max(there[word] for word in people)
        there = {word: sure for word, sure in there.items() if word not in people} | {words.person: surest}
    if people and rng.random() < 0.75:
        there = {word: sure for word, sure in there.items() if word not in words.clothes}
    animals = words.animals & there.keys()
    if animals and rng.random() < 0.3:
        there = {word: sure for word, sure in there.items() if word not in animals} | {words.animal: 1.0}
    there = {word: sure for word, sure in there.items() if word not in words.body}
    near = words.near(photo.said.keys() | there.keys())
    if people:
        near[sorted(words.people | words.clothes | words.body)] = True
    stuff = rng.choice(sorted(words.stuff), 4, replace=False)
    perhaps = {int(word): STUFF for word in stuff if not near[word]}
    perhaps |= {word: SCENERY for word in words.scenery if word not in there}
    named, share = photos.named
    absent = min(absent, len(named))
    others = [*rng.choice(named, absent, replace=False, p=share), *rng.choice(words.words, 6, replace=False)]
    kept = dict.fromkeys(int(word) for word in others if not near[word] and word not in words.stuff)
    return Names(there, perhaps, [word for word in kept if word not in perhaps and word not in there])


def learn(photos: Photographs, words: Related, rows: Tensor, run: Run) -> Learnt:
    """Train U and the words' v from 0.

    Args:
        photos: every second cell is enough.
        words: what binds the names.
        rows: (tokens, d), of the space as it is.
        run: how long, and the seed.
    """
    generator, rng = torch.Generator().manual_seed(run.seed), np.random.default_rng(run.seed)
    width = photos.all[0].head.shape[1]
    u = nn.Parameter(torch.randn(COORDINATES, width, generator=generator) * width**-0.5)
    v = nn.Parameter(torch.zeros(len(rows), COORDINATES))
    learns = torch.zeros(len(rows), 1)
    learns[[word for word, count in photos.counts.items() if count >= LEAST] + [words.person, words.animal]] = 1.0
    optimiser = torch.optim.AdamW([u, v], lr=RATE, weight_decay=DECAY)
    steps = int(run.epochs * len(photos.all) / BATCH)
    wanted = photos.wanted / photos.wanted.sum()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARM) * 0.5 * (1 + np.cos(np.pi * step / steps))
        chosen = [photos.all[i] for i in rng.choice(len(photos.all), BATCH, p=wanted)]
        names = [draw(photo, photos, words, run.absent, rng) for photo in chosen]
        cells, head = _cells(chosen, rng)
        loss = caption_loss(cells, head, names, rows, u, v * learns)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 50 == 0 or step == steps - 1:
            print(f"captions, seed {run.seed}: step {step} of {steps}, {loss.item():.3f}", file=sys.stderr, flush=True)
    return Learnt(u.detach(), (v * learns).detach())


def caption_loss(cells: Tensor, head: Tensor, names: Sequence[Names], rows: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """The loss of this page over a batch: cells (B, N, d), head (B, N, 384), names of each of the B."""
    listed = [[*each.there, *each.perhaps, *each.absent] for each in names]
    longest = max(map(len, listed))
    ids = torch.tensor([each + [0] * (longest - len(each)) for each in listed])
    valid = torch.tensor([[place < len(each) for place in range(longest)] for each in listed])
    allowed, sure = torch.zeros(ids.shape), torch.zeros(ids.shape)
    for number, each in enumerate(names):
        may = torch.tensor([*each.there.values(), *each.perhaps.values()])
        allowed[number, : len(may)] = may
        sure[number, : len(each.there)] = (torch.tensor(list(each.there.values())) == 1.0).float()
    added = (head @ u.T) @ v[ids].transpose(1, 2)
    scores = (cells @ rows[ids].transpose(1, 2) + added).masked_fill(~valid[:, None], -1e9)
    log_p = scores.log_softmax(-1)
    one_of_them = -torch.logsumexp(log_p + (allowed + 1e-8).log()[:, None], -1).mean()
    most = log_p.exp().topk(max(1, cells.shape[1] // 12), dim=1).values.mean(1)
    somewhere = (-((most + 1e-4).log() * sure).sum(1) / sure.sum(1).clamp_min(1)).mean()
    quiet = added[valid[:, None].expand_as(added)].square().mean()
    return one_of_them + SOMEWHERE * somewhere + QUIET * quiet


def _cells(chosen: Sequence[Photograph], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """As many cells of each: (B, N, d) and (B, N, 384)."""
    most = min(MOST_CELLS, *(len(photo.cells) for photo in chosen))
    picked = [torch.from_numpy(rng.permutation(len(photo.cells))[:most]) for photo in chosen]
    cells = torch.stack([photo.cells[some] for photo, some in zip(chosen, picked, strict=True)])
    head = torch.stack([photo.head[some] for photo, some in zip(chosen, picked, strict=True)])
    return cells.float(), head.float()


def mean(runs: Sequence[Learnt], count: int) -> Learnt:
    """The mean of what several runs say, in the `count` directions that keep most of it.

    u's rows come out orthonormal and rotated at random: every coordinate of u x has a deviation of about 1.
    """
    u, v = torch.cat([each.u for each in runs]), torch.cat([each.v for each in runs], 1) / len(runs)
    basis, rest = torch.linalg.qr(u.T)
    left, size, right = torch.linalg.svd(v @ rest.T, full_matrices=False)
    rotation = torch.linalg.qr(torch.randn(count, count, generator=torch.Generator().manual_seed(0))).Q
    kept = (size[:count].square().sum() / size.square().sum()).item()
    print(f"{count} directions keep {kept:.1%} of what {len(runs)} runs learnt", file=sys.stderr)
    return Learnt(rotation @ right[:count] @ basis.T, (left[:, :count] * size[:count]) @ rotation.T)


def from_logits(
    u: Tensor, head: Head, photos: Photographs, projection: EvidenceProjection
) -> tuple[Tensor, Tensor, float]:
    """u x as R z + r, of a cell's class logits z = W f + b: the least squares over features as photographs have them.

    With u x = A f + a and S the features' covariance, R = A S W' (W S W' + RIDGE mean(diagonal) I)^-1.

    Returns:
        R (k, 1000), r (k,), and the share of the variance of u x that R z has.
    """
    told = (u / (photos.deviation * head.scale)) @ head.directions
    offset = -told @ head.mean - (u / photos.deviation) @ photos.mean
    weight, spread = projection.class_weight, head.covariance
    gram = weight @ spread @ weight.T
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram))
    found = torch.linalg.solve(gram, weight @ spread @ told.T).T
    middle = told @ head.own_mean + offset - found @ (weight @ head.own_mean + projection.class_bias)
    left = told - found @ weight
    share = 1 - ((left @ spread) * left).sum() / ((told @ spread) * told).sum()
    return found, middle, share.item()
