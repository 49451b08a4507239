"""What adapting costs: seconds of a step and of its stages, memory, and the share of the arithmetic floor.

    python benchmarks/adapt.py [--cases two two-small batch builtin] [--steps 3] [--work FOLDER]

    two         OFA-base with random weights, ADE20K's 150 names, 32 x 32 cells, a step of two samples
    two-small   the same in as little memory as it goes: one at a time, attention made twice
    batch       the paper's batch of 16 with --memory 12GB, one step
    builtin     the base that ships with its own recipe

Every case runs in a process of its own; a step of a part of the batch warms up, medians of the others. Memory is the
peak of what the process has allocated (anonymous pages: weights that are mapped from a file and only read are not in
it), Adam's moments included. The floor is the arithmetic of a step
(matrix products forward and backward, `training_flops`) at the rate measured in the same process. Linux only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
VOCABULARY = ROOT / "tests" / "data" / "tokenizer" / "vocab.json"
NAMES, GRID = 150, 32
# (categories, grid, batch, micro-batch, what is made twice, steps)
CASES: dict[str, tuple[int, int, int, int | None, str | None, int]] = {
    "two": (NAMES, GRID, 2, 2, "none", 3),
    "two-small": (NAMES, GRID, 2, 1, "attention", 3),
    "batch": (NAMES, GRID, 16, None, None, 1),
    "builtin": (20, 0, 0, None, None, 8),
}
BARS = {"two": "the bar is 16 s", "two-small": "the bar is 3.6 GB", "batch": "the bar is 12 GB"}

if TYPE_CHECKING:
    from ifseg_cli.core.adaptation.prepare import Run


def names_of(count: int) -> list[str]:
    """So many names of a token each."""
    pieces = json.loads(VOCABULARY.read_text(encoding="utf-8"))
    words = [piece[1:] for piece in pieces if piece[0] == "Ġ" and piece[1:].isascii() and piece[1:].islower()]
    return [word for word in words if len(word) > 3][:count]


def prepared(base: str, names: int, grid: int, batch: int, micro: int | None, twice: str | None, train: str) -> Run:
    from ifseg_cli.core.adaptation.prepare import prepare

    if base == "builtin":
        return prepare(str(ROOT / "examples" / "categories.txt"), device="cpu")
    words: Any = "ade20k" if names == NAMES else names_of(names)
    sets = [f"optimiser.batch_size={batch}", f"grid={grid}", f"target_size={16 * grid}", f"train={train}"]
    sets += [f"plan.micro_batch={micro}"] if micro else []
    sets += [f"plan.recompute={twice}"] if twice else []
    memory = "12GB" if micro is None else "1000GB"
    return prepare(words, base=base, recipe="default", overrides=sets, device="cpu", allow_unknown=True, memory=memory)


def measure(
    base: str,
    names: int,
    grid: int,
    batch: int,
    micro: int | None,
    twice: str | None,
    steps: int,
    train: str = "all",
) -> object:
    """Everything about a case, in the process it has for itself."""
    import torch

    from ifseg_cli.core.adaptation.loop import train_step
    from ifseg_cli.core.adaptation.optimiser import PublishedAdamW
    from ifseg_cli.core.adaptation.parts import choose_trained
    from ifseg_cli.core.device import matmul_rate

    rate = matmul_rate(torch.device("cpu"))
    run = prepared(base, names, grid, batch, micro, twice, train)
    network, recipe = run.base.network, run.recipe
    choose_trained(network, recipe)
    network.set_recompute(recipe.plan.recompute or "none")
    network.set_regularisation(recipe.regularisation.dropout, recipe.regularisation.drop_path)
    optimiser = PublishedAdamW((each for _, each in network.trained_parameters()), recipe.optimiser)
    network.train()
    found: list[float] = []
    warm = next(run.samples.batch(0).parts(recipe.plan.micro_batch or 1))  # Adam's moments are there from here on
    train_step(network, warm, optimiser, 0, recipe, recipe.plan.micro_batch)
    with watched() as peak:
        for update in range(1, 1 + steps):
            begin = time.perf_counter()
            train_step(network, run.samples.batch(update), optimiser, update, recipe, recipe.plan.micro_batch)
            found.append(time.perf_counter() - begin)
    work = network.training_flops((run.images.grid, run.images.grid))
    return {
        "seconds": statistics.median(found),
        "peak": peak[0],
        "expected": run.memory,
        "floor": recipe.optimiser.batch_size * work / rate,
        "rate": rate,
        "flops": work,
        "batch": recipe.optimiser.batch_size,
        "plan": f"{recipe.plan.micro_batch} at a time, {recipe.plan.recompute} made twice",
        "threads": torch.get_num_threads(),
        "prompt": len(run.vocabulary.prompt_ids),
        "trained": sum(each.numel() for each in optimiser.parameters),
        "stages": stages(network, run, optimiser) if steps > 1 else {},
    }


def stages(network: Any, run: Run, optimiser: Any) -> dict[str, float]:
    """Seconds of each stage of one more step, its parts one after another."""
    from ifseg_cli.core.adaptation.loss import labelled_pixels, segmentation_loss

    found = dict.fromkeys(("draw", "forward", "loss", "backward", "update"), 0.0)

    def timed(stage: str, work: Callable[[], Any]) -> Any:
        begin = time.perf_counter()
        result = work()
        found[stage] += time.perf_counter() - begin
        return result

    batch = timed("draw", lambda: run.samples.batch(0))
    pixels = labelled_pixels(batch.target)
    for part in batch.parts(run.recipe.plan.micro_batch or len(batch.cells)):
        scores = timed("forward", lambda part=part: network.scores(part.cells, part.grid))
        loss = timed("loss", lambda part=part, s=scores: segmentation_loss(s, part.grid, part.target, pixels))
        timed("backward", loss.backward)
    timed("update", lambda: optimiser.step(0))
    return found


@contextmanager
def watched() -> Generator[list[int]]:
    """The peak of this process's anonymous memory while the block runs, bytes."""
    peak, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            line = next(each for each in Path("/proc/self/status").read_text().splitlines() if "RssAnon" in each)
            peak[0] = max(peak[0], 1024 * int(line.split()[1]))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def show(case: str, found: dict[str, Any]) -> None:
    share, bar = found["floor"] / found["seconds"], f" ({BARS[case]})" if case in BARS else ""
    print(f"{case}: {found['seconds']:.2f} s a step of {found['batch']}, peak {found['peak'] / 1e9:.2f} GB{bar}")
    print(f"  {found['plan']}; {found['expected'] / 1e9:.2f} GB were expected")
    print(f"  floor {found['floor']:.2f} s at {found['rate'] / 1e9:.0f} GFLOP/s: {share:.0%} of the time of a step")
    if found["stages"]:
        print("  " + ", ".join(f"{name} {value:.2f}" for name, value in found["stages"].items()), flush=True)


def alone(*words: object) -> Any:
    """What this script prints in a process of its own."""
    command = [sys.executable, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.strip().splitlines()[-1]


def base_size(folder: str | Path) -> str:
    """A folder of OFA-base with random weights, made there."""
    return alone(ROOT / "benchmarks" / "load.py", "--make", "own folder", folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--work", type=Path, help="where the base goes (1 GB); a temporary folder otherwise")
    parser.add_argument("--base", help="a base-size folder that is there")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(*json.loads(given.measure))))
        return
    with tempfile.TemporaryDirectory() as temporary:
        random = given.base or (base_size(given.work or temporary) if set(given.cases) - {"builtin"} else None)
        for case in given.cases:
            base = "builtin" if case == "builtin" else random
            show(case, json.loads(alone(__file__, "--measure", json.dumps([base, *CASES[case]]))))


if __name__ == "__main__":
    main()
