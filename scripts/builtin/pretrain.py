"""Pre-training of the built-in base's encoder and decoder, image-free: random vocabularies, artificial evidence.

Every update draws a vocabulary of its own from all words of the base, so that what is learnt is how to read a
picture by words, not the words. The weights that ship are a running average. A checkpoint every few minutes: run again
to go on.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from builtin.base import GRID, fresh
from ifseg_cli.core.adaptation.loop import train_step
from ifseg_cli.core.adaptation.loss import segmentation_loss
from ifseg_cli.core.adaptation.optimiser import PublishedAdamW
from ifseg_cli.core.adaptation.resume import load_checkpoint, save_checkpoint
from ifseg_cli.core.adaptation.samples import ArtificialSamples, TrainingBatch
from ifseg_cli.core.bases.folder import LoadedModel
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.files import write_atomic
from ifseg_cli.core.recipe import Optimiser
from ifseg_cli.core.synthesis.sampler import ArtificialImages
from ifseg_cli.core.vocabulary.prompt import prompt_ids

BATCH = 8
TARGET = 4 * GRID  # labels four times as fine as the cells
AVERAGE = 0.995  # decay of the running average of the weights
SAVE_SECONDS = 180
OPTIMISER = Optimiser(
    steps=1200, batch_size=BATCH, learning_rate=1e-3, warmup_steps=50, weight_decay=0.02, schedule="cosine"
)
SMALLEST, LARGEST = 5, 40  # names in a vocabulary


@dataclass(frozen=True)
class Names:
    """Words to draw vocabularies from: canonical surfaces and their ids."""

    common: tuple[str, ...]  # the lexicon's and the textures' words
    every: tuple[str, ...]


def run(work: Path, seed: int = 0) -> None:
    """Pre-train into `work`/pretrain/average.safetensors; resumes from its checkpoint."""
    folder = work / "pretrain"
    folder.mkdir(parents=True, exist_ok=True)
    base = fresh(work)
    segmenter, names = base.network, words(base)
    optimiser = PublishedAdamW((each for _, each in segmenter.trained_parameters()), OPTIMISER)
    identity = {"optimiser": OPTIMISER.model_dump(mode="json"), "seed": seed}
    checkpoint, average_file = folder / "checkpoint.safetensors", folder / "average.safetensors"
    first = load_checkpoint(checkpoint, segmenter, optimiser, identity) if checkpoint.exists() else 0
    average = load_file(average_file) if first else {n: p.detach().clone() for n, p in segmenter.trained_parameters()}
    segmenter.train()
    saved, losses, gains = time.monotonic(), [], []
    for update in range(first, OPTIMISER.steps):
        batch = draw(base, names, update, seed)
        plain = plain_loss(segmenter, batch)
        step = train_step(segmenter, batch, optimiser, update, seed)
        blend(average, segmenter, min(AVERAGE, (1 + update) / (10 + update)))
        losses.append(step.loss)
        gains.append(plain - step.loss)
        if step.number % 20 == 0:
            note = {"step": step.number, "loss": mean(losses[-20:]), "gain": mean(gains[-20:]), "seconds": step.seconds}
            with (folder / "log.jsonl").open("a") as log:
                log.write(json.dumps(note) + "\n")
        if time.monotonic() - saved > SAVE_SECONDS or step.number == OPTIMISER.steps:
            save_average(average_file, average, step.number)
            save_checkpoint(checkpoint, segmenter, optimiser, step.number, identity)
            saved = time.monotonic()
            print(f"step {step.number}: {mean(gains[-50:]):.3f} below the plain loss", file=sys.stderr, flush=True)


def save_average(path: Path, average: dict[str, Tensor], updates: int) -> None:
    """Write the running average, and after how many updates it was."""
    metadata = {"updates": str(updates)}
    write_atomic(path, lambda temporary: save_file(average, temporary, metadata=metadata))


def words(base: LoadedModel) -> Names:
    """What vocabularies are drawn from."""
    assert base.reader.known is not None
    canonical = {name: word for name, word in base.reader.known.words.items() if word.canonical == name}
    common = tuple(name for name, word in canonical.items() if word.how in ("lexicon", "texture"))
    return Names(common, tuple(canonical))


def draw(base: LoadedModel, names: Names, update: int, seed: int) -> TrainingBatch:
    """A vocabulary of its own for this update, set in the model, and artificial images of it."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(entropy=seed, spawn_key=(1, update))))
    size = int(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST + 1))))
    pool = names.common if rng.random() < 0.5 else names.every
    set_names(base, [pool[i] for i in rng.choice(len(pool), size=size, replace=False)])
    most = min(size, int(rng.integers(2, 9)))
    images = ArtificialImages(size, "regions", GRID, GRID, TARGET, seed, most)
    return ArtificialSamples(base.network, images, BATCH, noise=True).batch(update)


def set_names(base: LoadedModel, chosen: Sequence[str]) -> None:
    """Give the model these names as its vocabulary."""
    pieces = [base.reader.tokenizer.encode(name) for name in chosen]
    prompt = prompt_ids(base.reader.tokenizer, base.reader.prompt, pieces)
    base.network.set_vocabulary(prompt, [[each] for each in pieces])


@torch.no_grad()
def plain_loss(segmenter: Segmenter, batch: TrainingBatch) -> float:
    """The loss without encoder and decoder: what they have to beat, batch by batch."""
    return segmentation_loss(segmenter.plain_scores(batch.cells), batch.grid, batch.target).item()


@torch.no_grad()
def blend(average: dict[str, Tensor], segmenter: Segmenter, decay: float) -> None:
    """Move the running average towards the weights."""
    for name, parameter in segmenter.named_parameters():
        if name in average:
            average[name].lerp_(parameter, 1 - decay)


def trained(work: Path) -> tuple[LoadedModel, int]:
    """The base with the averaged weights, and after how many updates; fresh if there are none yet."""
    base, path = fresh(work), work / "pretrain" / "average.safetensors"
    if not path.exists():
        return base, 0
    base.network.load_state_dict(load_file(path), strict=False)
    with safe_open(path, framework="pt") as file:
        return base, int(file.metadata()["updates"])
