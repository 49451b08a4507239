"""The engine of a cluster: Ray Data hands pictures to workers, each with the model in its memory.

What a worker does to a picture is `Job.do`, as everywhere; who works where, lost workers, retries and how much is under
way at once are Ray's. Only the caller writes the manifest, so however often a picture was tried it has one line; its
files are moved into place whole, and are the same each time.

Workers read the model and the pictures, and write the results, by the same paths as the caller: a folder that all
machines share. Where the cluster is, Ray's own settings say (`RAY_ADDRESS`); without any, it is this machine.
"""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ifseg_cli.core.bases.places import DEFAULTS, LoadOptions
from ifseg_cli.core.errors import OutputError
from ifseg_cli.core.images.sources import Source
from ifseg_cli.core.prediction.engine import ledger
from ifseg_cli.core.prediction.engine.job import Job
from ifseg_cli.core.prediction.engine.manifest import Settled
from ifseg_cli.core.prediction.engine.pipeline import mask_classes
from ifseg_cli.core.prediction.model import Model
from ifseg_cli.core.recipe import PredictionSettings
from ifseg_cli.core.vocabulary.category import Category

BATCH = 8  # pictures of a task: what is done again when a worker is lost
CPUS = 2  # of a worker without a GPU, where its machine has so many


@dataclass(frozen=True)
class Order:
    """All that a worker must know, on whatever machine it is."""

    model: Path
    loading: LoadOptions
    device: str
    out: Path
    settings: PredictionSettings
    run: str
    swapped: tuple[Sequence[Category], str] | None  # words in place of the model's own


class Worker:
    """One process of the cluster, with the model in its memory."""

    def __init__(self, order: Order) -> None:
        model = Model.load(order.model, order.device, order.loading)
        if order.swapped is not None:
            model = model.with_categories(*order.swapped)
        here = ledger.run_identity(model.sha256, order.settings, mask_classes(model.vocabulary))
        if here != order.run:
            raise OutputError(f"{order.model} is another model on another machine", remedy="share one folder")
        self.job = Job(model, order.out, order.settings, order.run)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        """Pickled sources -> pickled `Settled`, or the `OutputError` that ends the run."""
        return {"settled": [self._do(pickle.loads(each)) for each in batch["source"]]}

    def _do(self, source: Source) -> bytes:
        try:
            return pickle.dumps(self.job.do(source))
        except OutputError as error:  # Ray would wrap it, and show a traceback for a full disk
            return pickle.dumps(error)


def ray_engine(device: str = "auto", loading: LoadOptions = DEFAULTS) -> Callable[..., Iterator[Settled]]:
    """An engine for `predict_images`.

    Args:
        device: `auto`: a GPU each where the cluster has some.
        loading: how workers read the model.
    """

    def on_ray(job: Job, items: Iterable[Source | Settled], stopped: Callable[[], bool]) -> Iterator[Settled]:
        rows: list[dict[str, bytes]] = []
        for each in items:
            if isinstance(each, Settled):
                yield each
            else:
                rows.append({"source": pickle.dumps(replace(each, path=each.path.absolute()))})
        if not rows or stopped():
            return
        assert job.model.path is not None  # a model in memory alone cannot be sent
        model, out = job.model.path.absolute(), job.out.absolute()
        order = Order(model, loading, device, out, job.settings, job.run, job.model.swapped)
        written: set[str] = set()
        for row in _dataset(rows, order).iter_rows():
            settled = pickle.loads(row["settled"])
            if isinstance(settled, OutputError):
                raise settled from OSError(settled.found)
            if settled.line.image not in written:  # a task that was tried twice
                written.add(settled.line.image)
                yield settled
            if stopped():
                return

    return on_ray


def _dataset(rows: list[dict[str, bytes]], order: Order) -> Any:  # noqa: ANN401 - Ray's own type, and Ray is an extra
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what its processes tell each other is in its own logs
    import ray
    import ray.data

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    if not ray.is_initialized():
        ray.init(logging_level=logging.ERROR, log_to_driver=False)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    resources = ray.cluster_resources()
    gpus, cpus = int(resources.get("GPU", 0)), int(resources.get("CPU", 1))
    least = min(int(node["Resources"].get("CPU", 0)) or 1 for node in ray.nodes() if node["Alive"])
    each = min(CPUS, least)
    with_gpu = gpus > 0 and order.device in ("auto", "cuda")
    workers = gpus if with_gpu else max(1, cpus // each)
    dataset = ray.data.from_items(rows, override_num_blocks=max(1, -(-len(rows) // BATCH)))
    return dataset.map_batches(
        Worker,
        fn_constructor_args=(order,),
        batch_size=BATCH,
        batch_format="numpy",
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_gpus=1 if with_gpu else 0,
        num_cpus=each,
    )
