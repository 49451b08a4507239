"""What `--save fp16` changes: the compact published model adapted for some steps, saved both ways, scores compared.

    python benchmarks/half.py

The fixtures' own weights are exact in half precision, so they are adapted first: 40 steps of 2, the published rule.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "parity"), str(ROOT / "tests" / "support")]

import published  # noqa: E402 - the tests' reader of the published numbers
from published import IMAGES, normalised  # noqa: E402

from ifseg_cli.core.adaptation.loop import adapt  # noqa: E402
from ifseg_cli.core.adaptation.samples import make_samples  # noqa: E402
from ifseg_cli.core.bases.folder import load_model_folder, save_folder  # noqa: E402
from ifseg_cli.core.bases.places import LoadOptions  # noqa: E402
from ifseg_cli.core.recipe import load_recipe  # noqa: E402
from ifseg_cli.core.synthesis.sampler import sampler_for  # noqa: E402

CPU = torch.device("cpu")
TOKENIZER = ROOT / "tests" / "data" / "tokenizer"


def main() -> None:
    options = LoadOptions(tokenizer=TOKENIZER, size_from_weights=True)
    loaded = load_model_folder(published.HERE / "fairseq_ckpt.pt", CPU, options)
    recipe = load_recipe("default", ["optimiser.steps=40", "optimiser.batch_size=2"])
    images = sampler_for(recipe, loaded.network.pictures, 7)
    adapt(loaded.network, make_samples(loaded.network, images, recipe), recipe, lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        models = []
        for half in (False, True):
            save_folder(Path(folder) / str(half), loaded, half=half)
            models.append(load_model_folder(Path(folder) / str(half), CPU).network)
            print(f"half {half}: {(Path(folder) / str(half) / 'model.safetensors').stat().st_size / 1e6:.1f} MB")
    for group in IMAGES:
        with torch.inference_mode():
            exact, half = (model(normalised(group)) for model in models)
        changed = (exact.argmax(-1) != half.argmax(-1)).float().mean().item()
        difference = (exact - half).abs().max().item()
        print(f"{group}: scores to {exact.abs().max():.2f}, apart by {difference:.1e}, {changed:.2%} of cells change")


if __name__ == "__main__":
    main()
