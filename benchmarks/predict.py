"""What predicting costs: seconds of every stage, pictures a second, memory, and the arithmetic floor.

    python benchmarks/predict.py [--cases builtin base base-wide] [--pictures 8] [--work FOLDER]

    builtin     the base that ships, examples/photos at their own size (448 pixels of the short side are seen)
    base        OFA-base with random weights, ADE20K's 150 names, photographs of 512 x 512 pixels
    base-wide   the same, 512 x 683 pixels

Every case runs in a process of its own. Stages are timed one after another, one picture at a time (medians); then the
whole run is timed as `ifseg predict` runs it, stages side by side, masks without overlays. Start-up (loading, one
picture to warm up) is outside. The floor is the arithmetic of the forward pass (counted by torch) at the rate of
matrix products measured in the same process. Memory is the peak of the resident set of the whole process. Linux only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
PHOTOS = ROOT / "examples" / "photos"
SIZES = {"builtin": None, "base": (512, 512), "base-wide": (512, 683)}  # height, width; None: as they are
BARS = {"builtin": 0.6, "base": 3.4}  # seconds a picture on two cores
MEMORY_BAR = {"base": 2.2}  # GB

if TYPE_CHECKING:
    from ifseg_cli.core.prediction.model import Model


def make_pictures(size: tuple[int, int] | None, count: int, folder: Path) -> list[Path]:
    """Photographs of `size`, cut from examples/photos; the example files themselves where it is None."""
    from PIL import Image, ImageOps

    photos = sorted(PHOTOS.glob("*.jpg"))[:count]
    if size is None:
        return photos
    folder.mkdir(parents=True, exist_ok=True)
    for photo in photos:
        ImageOps.fit(Image.open(photo).convert("RGB"), size[::-1]).save(folder / photo.name, quality=92)
    return [folder / photo.name for photo in photos]


def load(case: str, base: str) -> Model:
    """The model of a case, unadapted."""
    from ifseg_cli.core.prediction.model import Model
    from ifseg_cli.core.vocabulary.files import gather_categories

    source = str(ROOT / "examples" / "categories.txt") if case == "builtin" else "ade20k"
    return Model.unadapted(base, gather_categories(source)[0], source, "cpu")


def stage_seconds(model: Model, pictures: list[Path], out: Path) -> dict[str, float]:
    """Median seconds of each stage, one picture at a time."""
    import torch

    from ifseg_cli.core.images.search import find_images
    from ifseg_cli.core.prediction.engine import stages
    from ifseg_cli.core.prediction.method.segment import GridValues
    from ifseg_cli.core.prediction.method.smoothing import nearest_cells, smooth

    network, settings = model.network, model.settings.model_copy(update={"overlay": False})
    found: dict[str, list[float]] = {}

    @contextmanager
    def timed(stage: str) -> Generator[None]:
        begin = time.perf_counter()
        yield
        found.setdefault(stage, []).append(time.perf_counter() - begin)

    for source in find_images(pictures).sources:
        with torch.inference_mode():
            with timed("read"):
                picture = stages.read(source.path, settings)
            with timed("prepare"):
                prepared = stages.prepare(picture.pixels, network.pictures, settings)
            with timed("see"):
                seen = network.see(prepared[0])
            with timed("score"):
                scores = network.scores(seen.cells, seen.grid)
            with timed("smooth"):
                neighbours = nearest_cells(seen.similarity, settings.neighbours)
                values = smooth(scores.softmax(-1), neighbours, settings.smoothing_iterations)
        grid = GridValues((values.transpose(1, 2).unflatten(2, seen.grid),), are_scores=False)
        with timed("up-sample"):
            made = stages.finish(picture, grid, 0, model.vocabulary, settings)
        with timed("write"):
            stages.write(out, source, picture, made, settings, 0.0)
    return {stage: statistics.median(times) for stage, times in found.items()}


def measure(case: str, base: str, count: int, work: Path) -> dict[str, Any]:
    """All numbers of a case, in this process."""
    import resource

    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from ifseg_cli.core.device import matmul_rate
    from ifseg_cli.core.images.search import find_images
    from ifseg_cli.core.prediction.engine import stages
    from ifseg_cli.core.prediction.engine.pipeline import predict_images

    rate = matmul_rate(torch.device("cpu"))  # before anything is loaded: its matrices are no part of the peak
    pictures = make_pictures(SIZES[case], count, work / "pictures")
    model = load(case, base)
    settings = model.settings.model_copy(update={"overlay": False})
    for path in pictures:
        model.predict(path)  # warm: the grid's biases are made, the allocator has what it needs
    runs: list[float] = []
    by_stage: list[dict[str, float]] = []
    for index in range(3):  # interleaved: the machine's moods meet both
        by_stage.append(stage_seconds(model, pictures, work / f"staged-{index}"))
        found = find_images(pictures)
        runs.append(predict_images(model, found, work / f"out-{index}", settings).seconds / len(pictures))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    flops: list[float] = []  # last: counting has a cost of its own
    for path in pictures:
        (image,) = stages.prepare(stages.read(path, settings).pixels, model.network.pictures, settings)
        model.predict(path)  # the grid's biases are made: a counter and their making do not go together
        with FlopCounterMode(display=False) as counter, torch.inference_mode():
            seen = model.network.see(image)
            model.network.scores(seen.cells, seen.grid)
        flops.append(counter.get_total_flops())
    return {
        "stages": {name: statistics.median(each[name] for each in by_stage) for name in by_stage[0]},
        "run": statistics.median(runs),
        "rate": rate,
        "floor": statistics.mean(flops) / rate,
        "peak": peak,
    }


def show(case: str, found: dict[str, Any]) -> None:
    one_by_one = sum(found["stages"].values())
    told = ", ".join(f"{name} {value:.3f}" for name, value in found["stages"].items())
    bar = f", the bar is {BARS[case]:.1f}" if case in BARS else ""
    memory = f", the bar is {MEMORY_BAR[case]:.1f}" if case in MEMORY_BAR else ""
    print(f"{case}: {found['run']:.2f} s a picture ({1 / found['run']:.2f} a second){bar}")
    print(f"  one stage after another {one_by_one:.2f} s: {told}")
    share = found["floor"] / found["run"]
    print(f"  floor {found['floor']:.2f} s at {found['rate'] / 1e9:.0f} GFLOP/s: {share:.0%} of the time of the run")
    print(f"  peak {found['peak'] / 1e9:.2f} GB{memory}", flush=True)


def run(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.strip().splitlines()[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--work", type=Path, help="where the files go (1 GB); a temporary folder otherwise")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)  # case, base, pictures
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        if options.measure:
            case, base, count = options.measure
            return print(json.dumps(measure(case, base, int(count), Path(temporary))))
        random = ""
        for case in options.cases:
            if case != "builtin" and not random:
                load_script = str(ROOT / "benchmarks" / "load.py")
                place = str(options.work or Path(temporary))
                random = run(load_script, "--make", "own folder", place)
            base = "builtin" if case == "builtin" else random
            show(case, json.loads(run(__file__, "--measure", case, base, str(options.pictures))))
    return None


if __name__ == "__main__":
    main()
