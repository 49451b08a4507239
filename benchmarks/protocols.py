"""The protocols on data that lies here, with the built-in base, by the commands that a user types.

    python benchmarks/protocols.py [--sets scenes everyday-24] [--count 100]

Rows
    unadapted        the base with the names, nothing trained; with smoothing and without
    standard         adapted to the names (recipe `quick`); with smoothing and without
    zero-shot        adapted to the unseen names alone, which alone compete
    generalised      the masks of `standard`: seen, unseen, harmonic
    cross-dataset    adapted to another vocabulary: its words swapped for these, or its masks through a class map

Unseen are every fourth name. Results lie in `.work/protocols`; what lies there is not done again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from measuring.pictures import Task, load_tasks
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".work" / "protocols"
NUMBERS = ("mIoU", "aAcc", "bIoU", "seen", "unseen", "harmonic")
# Names of a vocabulary -> names of the set it is judged on, where they are not the same.
MAPS = {
    "everyday-24": {
        **dict.fromkeys(("bird", "cat", "cow", "dog", "horse", "sheep"), "animal"),
        **{"aeroplane": "airplane", "motorbike": "motorcycle", "sofa": "couch", "dining table": "table"},
    },
    "scenes": {},
}
OTHER = {"everyday-24": "voc-20", "scenes": "everyday-24"}


def ifseg(*words: object) -> None:
    command = [sys.executable, "-m", "ifseg_cli", *map(str, words)]
    print("ifseg", *words[:1], *(word for word in words[1:]), file=sys.stderr, flush=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        sys.exit(done.stderr)


def adapted(name: str, names: tuple[str, ...]) -> Path:
    """A model of these names; the file of names lies beside it."""
    model, words = WORK / "models" / name, WORK / "models" / f"{name}.txt"
    words.parent.mkdir(parents=True, exist_ok=True)
    words.write_text("\n".join(names) + "\n")
    if not (model / "config.json").exists():
        ifseg("adapt", "--categories", words, "--recipe", "quick", "--out", model, "--overwrite")
    return model


def on_disk(task: Task, count: int) -> list[object]:
    """The set as a pair of folders, and the options that name it."""
    folder = WORK / f"{task.name}-{count}"
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for picture in task.pictures[:count]:
        link, label = folder / "images" / picture.path.name, folder / "labels" / f"{picture.name}.png"
        if not label.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(picture.path.resolve())
            Image.fromarray(task.truth(picture)).save(label)
    (folder / "classes.txt").write_text("\n".join(task.names) + "\n")
    (folder / "unseen.txt").write_text("\n".join(task.names[3::4]) + "\n")
    return ["--images", folder / "images", "--labels", folder / "labels", "--classes", folder / "classes.txt"]


def evaluated(place: Path, *words: object) -> dict[str, Any]:
    if not (place / "report.json").exists():
        ifseg(
            "evaluate", *words, "--out", place, "--overwrite", *([] if "--predictions" in words else ["--no-overlay"])
        )
    return json.loads((place / "report.json").read_text())


def rows(task: Task, other: Task, count: int) -> dict[str, dict[str, Any]]:
    data, folder = on_disk(task, count), WORK / f"{task.name}-{count}"
    zero_shot = ["--protocol", "zero-shot", "--unseen", folder / "unseen.txt"]
    model = adapted(task.name, task.names)
    unseen = adapted(f"{task.name}-unseen", task.names[3::4])
    stranger = adapted(other.name, other.names)
    mapped = {name: MAPS[task.name].get(name, name if name in task.names else "-") for name in other.names}
    (folder / "map.txt").write_text("".join(f"{left} = {right}\n" for left, right in mapped.items()))
    out, plain = folder / "results", ["--smoothing-iterations", 0]
    made = {
        "unadapted, no smoothing": evaluated(out / "base-plain", *data, "--model", "builtin", *plain),
        "unadapted": evaluated(out / "base", *data, "--model", "builtin"),
        "standard, no smoothing": evaluated(out / "standard-plain", *data, "--model", model, *plain),
        "standard": evaluated(out / "standard", *data, "--model", model),
        "zero-shot, unadapted": evaluated(out / "zero-base", *data, *zero_shot, "--model", "builtin"),
        "zero-shot": evaluated(out / "zero", *data, *zero_shot, "--model", unseen),
    }
    masks = ["--predictions", out / "standard" / "masks"]
    split = ["--protocol", "generalised", "--unseen", folder / "unseen.txt"]
    made["generalised"] = evaluated(out / "generalised", *data, *split, *masks)
    swapped = ["--model", stranger, "--swap-vocabulary"]
    made[f"cross-dataset from {other.name}, swapped"] = evaluated(out / "swapped", *data, *swapped)
    through = ["--model", stranger, "--class-map", folder / "map.txt"]
    made[f"cross-dataset from {other.name}, class map"] = evaluated(out / "mapped", *data, *through)
    return made


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sets", nargs="+", choices=sorted(OTHER), default=["scenes", "everyday-24"])
    options.add_argument("--count", type=int, default=100)
    options.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    given = options.parse_args()
    tasks = {task.name: task for task in load_tasks({*given.sets, *OTHER.values()}, given.data, WORK)}
    for name in given.sets:
        table = rows(tasks[name], tasks[OTHER[name]], given.count)
        print(
            f"\n{name}, {given.count} images\n{'':44}"
            + "".join(f"{number:>10}" for number in NUMBERS)
            + "   mIoU, 95 %"
        )
        for row, report in table.items():
            numbers = report["numbers"]
            told = "".join(f"{100 * numbers[key]:10.1f}" if key in numbers else f"{'-':>10}" for key in NUMBERS)
            low, high = report["mIoU_interval_95"]
            print(f"{row:44}{told}   {100 * low:.1f} to {100 * high:.1f}", flush=True)


if __name__ == "__main__":
    main()
