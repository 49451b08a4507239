"""Make the built-in base from nothing: an ImageNet classifier, WordNet, a lexicon and drawn textures.

    python scripts/make_builtin.py                  all stages that are not done yet
    python scripts/make_builtin.py --stage space    this stage again, and those after it that are not done
    python scripts/make_builtin.py --stage see --only --photos photos.tar@320x352 --photos more/ --captions more.jsonl

Stages, each kept in `.work/builtin/STAGE`:
    words      every word and what it is known by
    textures   what the backbone sees in drawn textures
    space      backbone, projection and rows: a base that scores patches by words
    see        what the backbone sees in captioned photographs, if any are named (a folder or tar; @HEIGHTxWIDTH brings
               each to that size); resumable, 0.14 s each on two cores; nothing that ships uses it yet
    pretrain   encoder and decoder on artificial images
    pack       the base as it ships, ifseg_cli/builtin/

Needs `pip install 'ifseg[builtin]'` and WordNet 3.0 (`apt-get install wordnet-base`; fetched where apt-get is).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from builtin import pack, photographs, pretrain, stages  # noqa: E402 - the scripts are no installed package

THREADS = torch.get_num_threads()
WORK = ROOT / ".work" / "builtin"


STAGES: dict[str, Callable[[Path, Sequence[photographs.Source]], None]] = {
    "words": lambda work, _: stages.words(work),
    "textures": lambda work, _: stages.textures(work),
    "space": lambda work, _: stages.space(work),
    "see": stages.see,
    "pretrain": lambda work, _: pretrain.run(work),
    "pack": lambda work, _: pack.run(work, ROOT / "ifseg_cli" / "builtin"),
}


def main() -> None:
    """Run what is missing, or one stage anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", choices=STAGES, help="make this stage anew, and then what is missing after it")
    parser.add_argument("--only", action="store_true", help="stop after --stage")
    parser.add_argument("--work", type=Path, default=WORK, help="where the stages are kept")
    parser.add_argument("--photos", action="append", default=[], metavar="PLACE[@HxW]", help="captioned photographs")
    parser.add_argument("--captions", action="append", default=[], type=Path, help="of the last places of --photos")
    arguments = parser.parse_args()
    sources = photographs.sources(arguments.photos, arguments.captions)
    begun = arguments.stage is None
    for name, stage in STAGES.items():
        anew = name == arguments.stage
        begun = begun or anew
        done = arguments.work / name / stages.DONE
        if not begun or (done.exists() and not anew):
            continue
        # Sums in another order turn the principal directions, and encoder and decoder are trained for one turn.
        torch.set_num_threads(THREADS if name in ("pretrain", "see") else 1)
        started = time.perf_counter()
        done.unlink(missing_ok=True)
        stage(arguments.work, sources)
        done.parent.mkdir(parents=True, exist_ok=True)
        done.touch()
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)
        if anew and arguments.only:
            return


if __name__ == "__main__":
    main()
