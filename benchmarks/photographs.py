"""The built-in base on photographs: every row of the table, with 95 % intervals over images.

    python benchmarks/photographs.py                      all rows
    python benchmarks/photographs.py --rows f a b --vocabularies camvid

Rows
    f   the image-level classifier: its best name painted over the whole picture
    a   plain scores: cell . row
    b   plain scores, smoothed (K = 3, 25 rounds)
    c   the base as it ships, with its encoder and decoder, not adapted; c' the same smoothed
    d   adapted to the vocabulary by the base's own recipe
    e   adapted, smoothed: what `ifseg predict` gives

Data: 100 photographs (COCO panoptic, three vocabularies) and 12 of CamVid; masks at original size, one confusion matrix
a vocabulary. What the backbone sees is kept in `.work/photographs`, so a second run takes seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ifseg_cli.core.adaptation.loop import adapt
from ifseg_cli.core.checkpoint.folder import load_base
from ifseg_cli.core.model.backbone import Seen
from ifseg_cli.core.model.efficientnet import Features
from ifseg_cli.core.model.evidence import EvidenceProjection
from ifseg_cli.core.model.segmenter import Segmenter
from ifseg_cli.core.prediction.resize import normalise, resize, target_size
from ifseg_cli.core.prediction.smoothing import nearest_cells, smooth
from ifseg_cli.core.prediction.upsample import label_map
from ifseg_cli.core.recipe import load_recipe
from ifseg_cli.core.synthesis.batches import make_samples
from ifseg_cli.core.synthesis.sampler import sampler_for
from ifseg_cli.core.vocabulary.files import categories_from_names
from ifseg_cli.core.vocabulary.vocabulary import build_vocabulary

ROOT = Path(__file__).resolve().parent.parent
NEIGHBOURS, ROUNDS = 3, 25
RESAMPLES, SEED = 2000, 0
IGNORED = 255
CAMVID = ["sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist"]

Labels = NDArray[np.uint8]


# ---------------------------------------------------------------- data


@dataclass(frozen=True)
class Photograph:
    """A picture and its mask on disk."""

    name: str
    picture: Path
    mask: Path


@dataclass(frozen=True)
class Task:
    """Names, and which of them each mask value means; `IGNORED` for none."""

    name: str
    names: list[str]
    of_value: Labels  # (256,)
    photographs: list[Photograph]

    def truth(self, photograph: Photograph) -> Labels:
        """(H, W), an index into `names`, or `IGNORED`."""
        return self.of_value[np.asarray(Image.open(photograph.mask))]


def tasks(data: Path) -> Iterator[Task]:
    """The four vocabularies."""
    coco = data / "coco128"
    pictures = [
        Photograph(p.stem, p, coco / "masks" / f"{p.stem}.png") for p in sorted((coco / "images").glob("*.jpg"))
    ]
    for name, gathered in json.loads((coco / "vocabularies.json").read_text()).items():
        yield Task(name, list(gathered), _table(dict(enumerate(gathered.values()))), pictures)
    classes = {
        int(value): clean(name)
        for value, name in json.loads((coco / "classes.json").read_text()).items()
        if value != "0"
    }
    yield Task("all", list(classes.values()), _table({i: [value] for i, value in enumerate(classes)}), pictures)
    folder = data / "camvid" / "CamVid"
    streets = [Photograph(p.stem, p, folder / "testannot" / p.name) for p in sorted((folder / "test").glob("*.png"))]
    yield Task("camvid", CAMVID, _table({i: [i] for i in range(len(CAMVID))}), streets)


def clean(name: str) -> str:
    """COCO's panoptic names as people write them: "wall-other-merged" -> "wall", "wall-brick" -> "brick wall"."""
    for suffix in ("-merged", "-stuff", "-other"):
        name = name.removesuffix(suffix)
    what, _, kind = name.partition("-")
    if kind and what in ("wall", "floor"):
        return f"{ {'wood': 'wooden'}.get(kind, kind) } {what}"
    return {"playingfield": "playing field"}.get(name, name.replace("-", " "))


def _table(values: dict[int, list[int]]) -> Labels:
    table = np.full(256, IGNORED, dtype=np.uint8)
    for index, gathered in values.items():
        table[gathered] = index
    return table


# ---------------------------------------------------------------- base


@dataclass(frozen=True)
class Look:
    """What the base makes of one picture; the grid's cells row by row."""

    seen: Seen
    painted: Tensor  # (1, 1, d): the picture as one cell, without texture


def look(segmenter: Segmenter, photograph: Photograph, kept: Path) -> Look:
    """See a picture, or remember what the backbone saw in it."""
    path = kept / f"{photograph.name}.pt"
    if path.exists():
        features = Features(*(t.float() for t in torch.load(path, weights_only=True)))
    else:
        pixels = np.asarray(Image.open(photograph.picture).convert("RGB"))
        config = segmenter.config
        small = resize(pixels, target_size(*pixels.shape[:2], config.short_side, config.long_side))
        features = segmenter.backbone(normalise(small, config.image_mean, config.image_std))
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save([t.half() for t in features], path)
    projection = segmenter.image_proj
    assert isinstance(projection, EvidenceProjection)
    z, q = projection.evidence(Features(*(t.mean((2, 3), keepdim=True) for t in features)))
    return Look(projection(features), projection.cells(z, torch.zeros_like(q)))


def prepare(task: Task, adapted: bool) -> Segmenter:
    """The base that ships with the task's names, adapted by its own recipe if that is wanted."""
    loaded = load_base("builtin", torch.device("cpu"))
    segmenter, config = loaded.segmenter, loaded.segmenter.config
    categories = categories_from_names(task.names)
    words = build_vocabulary(categories, loaded.tokenizer, config.prompt, config.max_text, task.name, loaded.known)
    segmenter.set_vocabulary(words.prompt_ids, words.piece_ids)
    if adapted:
        recipe = load_recipe(loaded.recipe_name)
        samples = make_samples(segmenter, sampler_for(recipe, config, len(task.names)), recipe)
        adapt(segmenter, samples, recipe, lambda _: None)
    return segmenter


def key(segmenter: Segmenter) -> str:
    """Of the backbone: what it saw is kept under this name."""
    tensors = (tensor.numpy().tobytes() for tensor in segmenter.backbone.state_dict().values())
    return f"{hashlib.sha256(b''.join(tensors)).hexdigest()[:12]}-{segmenter.config.short_side}"


# ---------------------------------------------------------------- rows of the table

Scorer = Callable[[Segmenter, Look], Tensor]  # -> scores (1, N, M)


def painted(segmenter: Segmenter, seen: Look) -> Tensor:
    return segmenter.plain_scores(seen.painted).expand(-1, seen.seen.cells.shape[1], -1)


def plain(segmenter: Segmenter, seen: Look) -> Tensor:
    return segmenter.plain_scores(seen.seen.cells)


def model(segmenter: Segmenter, seen: Look) -> Tensor:
    return segmenter.scores(seen.seen.cells, seen.seen.grid)


@dataclass(frozen=True)
class Row:
    name: str
    scorer: Scorer
    smoothed: bool = False
    adapted: bool = False


ROWS = {
    "f": Row("classifier painted", painted),
    "a": Row("plain", plain),
    "b": Row("plain smoothed", plain, smoothed=True),
    "c": Row("unadapted", model),
    "c'": Row("unadapted smoothed", model, smoothed=True),
    "d": Row("adapted", model, adapted=True),
    "e": Row("adapted smoothed", model, smoothed=True, adapted=True),
}


def labels(scores: Tensor, seen: Seen, smoothed: bool, size: tuple[int, int]) -> NDArray[np.int16]:
    """Scores (1, N, M) -> the winner for every pixel (H, W)."""
    if smoothed:
        scores = smooth(scores.softmax(-1), nearest_cells(seen.similarity, NEIGHBOURS), ROUNDS)
    values = scores[0].T.reshape(-1, *seen.grid)
    return label_map(values, size, are_scores=not smoothed).labels


# ---------------------------------------------------------------- numbers


def confusion(truth: Labels, found: NDArray[np.int16], names: int) -> NDArray[np.int64]:
    """(M, M): pixels of each name (row) called each name (column); ignored ones left out."""
    counted = truth != IGNORED
    pairs = truth[counted].astype(np.int64) * names + found[counted]
    return np.bincount(pairs, minlength=names * names).reshape(names, names)


def summary(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, M, M) -> (n, 2): mIoU over the names that occur, and pixel accuracy, in percent."""
    hits = np.diagonal(matrices, axis1=1, axis2=2)
    there = matrices.sum(2)
    union = there + matrices.sum(1) - hits
    iou = np.where(there > 0, hits / np.maximum(union, 1), np.nan)
    return 100 * np.stack([np.nanmean(iou, axis=1), hits.sum(1) / np.maximum(there.sum(1), 1)], axis=1)


def interval(matrices: NDArray[np.int64]) -> NDArray[np.float64]:
    """2.5 and 97.5 % of `summary` over images drawn with replacement: (2, 2)."""
    rng = np.random.default_rng(SEED)
    flat = matrices.reshape(len(matrices), -1).astype(np.float32)
    results: list[NDArray[np.float64]] = []
    for _ in range(RESAMPLES // 100):
        times = rng.multinomial(len(flat), [1 / len(flat)] * len(flat), size=100).astype(np.float32)
        results.append(summary((times @ flat).reshape(100, *matrices.shape[1:]).astype(np.float64)))
    return np.percentile(np.concatenate(results), [2.5, 97.5], axis=0)


def measure(task: Task, chosen: list[str], kept: Path) -> dict[str, NDArray[np.int64]]:
    """Confusion matrices (images, M, M) of each row; images without a counted pixel are left out."""
    segmenters = {adapted: prepare(task, adapted) for adapted in {ROWS[row].adapted for row in chosen}}
    kept = kept / key(next(iter(segmenters.values())))
    with torch.inference_mode():
        return score(task, chosen, segmenters, kept)


def score(task: Task, chosen: list[str], segmenters: dict[bool, Segmenter], kept: Path) -> dict[str, NDArray[np.int64]]:
    found: dict[str, list[NDArray[np.int64]]] = {row: [] for row in chosen}
    for photograph in task.photographs:
        truth = task.truth(photograph)
        if (truth == IGNORED).all():
            continue
        seen = look(next(iter(segmenters.values())), photograph, kept)
        known: dict[tuple[Scorer, bool], Tensor] = {}  # a smoothed row and its plain one share their scores
        for row in chosen:
            wanted = ROWS[row]
            way = (wanted.scorer, wanted.adapted)
            if way not in known:
                known[way] = wanted.scorer(segmenters[wanted.adapted], seen)
            scores = known[way]
            winner = labels(scores, seen.seen, wanted.smoothed, truth.shape)
            found[row].append(confusion(truth, winner, len(task.names)))
    return {row: np.stack(matrices) for row, matrices in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--kept", type=Path, default=ROOT / ".work" / "photographs")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--vocabularies", nargs="+", help="everyday-24, voc-20, all, camvid")
    parser.add_argument("--classes", action="store_true", help="also IoU by name")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        raise SystemExit(f"no photographs at {arguments.data}; say where with --data")
    print(f"{'':27}mIoU [95 % interval]    accuracy [95 % interval]")
    for task in tasks(arguments.data):
        if arguments.vocabularies and task.name not in arguments.vocabularies:
            continue
        found = measure(task, arguments.rows, arguments.kept)
        print(f"{task.name}, {len(task.names)} names, {len(next(iter(found.values())))} images")
        for row, matrices in found.items():
            report(row, matrices, task.names if arguments.classes else [])
        sys.stdout.flush()


def report(row: str, matrices: NDArray[np.int64], names: list[str]) -> None:
    """One line, and one a name if names are given."""
    total = matrices.sum(0)
    (iou, accuracy), (low, high) = summary(total[None].astype(np.float64))[0], interval(matrices)
    numbers = f"{iou:5.1f} [{low[0]:5.1f}, {high[0]:5.1f}]      {accuracy:5.1f} [{low[1]:5.1f}, {high[1]:5.1f}]"
    print(f"  {f'({row})':<5}{ROWS[row].name:<20}{numbers}")
    for index, name in enumerate(names):
        hits, there, called = total[index, index], total[index].sum(), total[:, index].sum()
        if there:
            print(
                f"        {name:<16} IoU {100 * hits / (there + called - hits):5.1f}"
                f"  share {100 * there / total.sum():5.1f} %"
            )


if __name__ == "__main__":
    main()
