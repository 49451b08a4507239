"""The README card of an adapted model: what it is, what it was made from, how to use it, what it does not know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

CARD = """# A model adapted by ifseg

Segments pictures into {count} categories. It was adapted from the base `{base}` on artificial images, that is on grids
of words: no photograph and no mask of these categories was used.

    ifseg predict PICTURES --model {folder}

| what | |
|---|---|
| categories | {names} |
| base | `{base}`, weights SHA-256 `{base_sha256}` |
| recipe | {recipe}: {steps} steps of {batch}, seed {seed} (in full in `recipe.yaml`) |
| last loss | {loss:.4f} (on artificial images; says nothing about photographs) |
| made by | ifseg {version}, {time} |

**What it does not know.** It paints every pixel with one of its own categories: give it a name for everything that is
in the pictures (sky, grass, wall ...), or use `--threshold`. Cells are 16 pixels; thin and small things are lost. The
number that counts is measured on labelled pictures of yours: `ifseg evaluate`.

Files: `model.safetensors` weights, `config.json` sizes, `vocabulary.json` categories with ids and colours,
`tokenizer.json`, `recipe.yaml`, `provenance.json`, `train.jsonl`, `loss.png` and `looks.png` the course of the
adaptation.
"""


HALF_NOTE = """
**Half precision.** Saved with `--save fp16`: half the size, a little of the weights lost. On the compact published
model of the tests, adapted for 40 steps, this moved scores of up to 3.3 by at most 0.009 and changed the winner in
0.07 % to 0.77 % of the cells before smoothing (`benchmarks/half.py`).
"""

UPDATE_NOTE = """
**An update.** Saved with `--save update`: `update.safetensors` holds what adapting has changed, and the base must be
there, too. A base other than the built-in one is named by `--base`:

    ifseg predict PICTURES --model {folder} --base {base}
"""

NOTES = {"fp16": HALF_NOTE, "update": UPDATE_NOTE}


def model_card(folder: Path, names: Sequence[str], facts: Mapping[str, object], save: str = "exact") -> str:
    """Fill the card.

    Args:
        folder: where the model lies.
        names: its categories.
        facts: `base`, `base_sha256`, `recipe`, `steps`, `batch`, `seed`, `loss`, `version`, `time`.
        save: how the weights are saved.
    """
    shown = ", ".join(names[:30]) + (f" and {len(names) - 30} more" if len(names) > 30 else "")
    card = CARD.format(count=len(names), names=shown.replace("|", "\\|"), folder=folder, **facts)
    return card + NOTES.get(save, "").format(folder=folder, **facts)
