"""What a run leaves to read: one JSON line a logged step, and the loss as a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ifseg_cli.core.adaptation.loop import Step
from ifseg_cli.core.files import append_line, write_atomic, write_text

LOG = "train.jsonl"


class TrainLog:
    """`train.jsonl`: every `every`-th step and the last one, each line flushed as it comes.

    Args:
        path: the file.
        every: steps between lines.
        last: number of the last step.
        after: steps that an earlier part of the run has done; its later lines are dropped, as they come again.
    """

    def __init__(self, path: Path, every: int, last: int, after: int = 0) -> None:
        self.path, self.every, self.last = path, every, last
        kept = [line for line in read_log(path) if line["step"] <= after] if after else []
        write_text(path, "".join(json.dumps(line) + "\n" for line in kept))

    def add(self, step: Step) -> None:
        """Write a step if it is due."""
        if step.number % self.every == 0 or step.number in (1, self.last):
            append_line(self.path, json.dumps(step.to_json()))


def read_log(path: Path) -> list[dict[str, Any]]:
    """Lines of a `train.jsonl`, one dictionary each; a line cut short by a kill is left out; no file, no lines."""
    if not path.exists():
        return []
    lines: list[dict[str, Any]] = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            continue
    return lines


def draw_loss(path: Path, lines: Sequence[dict[str, Any]]) -> None:
    """Draw loss against step as a PNG, with the learning rate behind it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(xlabel="step", ylabel="loss (cross-entropy, nats)")
    steps = [line["step"] for line in lines]
    axes.plot(steps, [line["loss"] for line in lines], color="#0b6e99", label="loss")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    rate = axes.twinx()
    rate.plot(steps, [line["learning_rate"] for line in lines], color="#999999", linestyle="--", label="learning rate")
    rate.set_ylim(bottom=0)
    rate.set_ylabel("learning rate")
    figure.legend(loc="outside upper right", ncols=2, frameon=False)
    write_atomic(path, lambda temporary: figure.savefig(temporary, dpi=120))
