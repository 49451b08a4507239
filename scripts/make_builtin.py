"""Make the built-in base from nothing: an ImageNet classifier, WordNet, a lexicon and drawn textures.

    python scripts/make_builtin.py --photos photos.tar@320x352 --photos more/ --captions more.jsonl
    python scripts/make_builtin.py --no-captions --out base      without photographs: the space alone
    python scripts/make_builtin.py --stage captions --photos ...  this stage again, and those after it

Stages, each kept in `.work/builtin/STAGE` and not made twice:
    words      every word and what it is known by
    textures   what the backbone sees in drawn textures
    space      backbone, projection and rows: a base that scores patches by words
    see        what the backbone sees in captioned photographs (a folder or tar each; @HEIGHTxWIDTH brings each to that
               size); resumable, 0.06 s each on two cores
    captions   more coordinates of the space, learnt from the captions
    pretrain   encoder and decoder on the photographs' cells; resumable
    pack       the base as it ships

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

from builtin import captions, pack, photographs, pretrain, stages  # noqa: E402 - the scripts are no installed package

THREADS = torch.get_num_threads()
WORK = ROOT / ".work" / "builtin"
OUT = ROOT / "ifseg_cli" / "builtin"


STAGES: dict[str, Callable[[Path, Sequence[photographs.Source]], None]] = {
    "words": lambda work, _: stages.words(work),
    "textures": lambda work, _: stages.textures(work),
    "space": lambda work, _: stages.space(work),
    "see": stages.see,
    "captions": captions.run,
    "pretrain": pretrain.run,
}
OF_PHOTOGRAPHS = ("see", "captions", "pretrain")


def main() -> None:
    """Run what is missing, or one stage anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stage", choices=STAGES, help="make this stage anew, and those after it")
    parser.add_argument("--only", action="store_true", help="stop after --stage")
    parser.add_argument("--work", type=Path, default=WORK, help="where the stages are kept")
    parser.add_argument("--photos", action="append", default=[], metavar="PLACE[@HxW]", help="captioned photographs")
    parser.add_argument("--captions", action="append", default=[], type=Path, help="of the last places of --photos")
    parser.add_argument("--no-captions", action="store_true", help="make the base without photographs")
    parser.add_argument("--out", type=Path, default=OUT, help="where the base is written")
    arguments = parser.parse_args()
    if bool(arguments.photos) == arguments.no_captions and arguments.stage not in ("words", "textures", "space"):
        parser.error("name the captioned photographs (--photos), or say --no-captions")
    sources = photographs.sources(arguments.photos, arguments.captions)
    anew = False
    for name, stage in STAGES.items():
        anew = anew or name == arguments.stage
        if (name in OF_PHOTOGRAPHS and not sources) or ((arguments.work / name / stages.DONE).exists() and not anew):
            continue
        make(name, stage, arguments.work, sources)
        if name == arguments.stage and arguments.only:
            return
    pack.run(arguments.work, sources, arguments.out)


def make(
    name: str,
    stage: Callable[[Path, Sequence[photographs.Source]], None],
    work: Path,
    sources: Sequence[photographs.Source],
) -> None:
    """Run one stage."""
    # Sums in another order turn the principal directions, and all that is learnt after is learnt for one turn.
    torch.set_num_threads(THREADS if name == "pretrain" else 1)
    started, done = time.perf_counter(), work / name / stages.DONE
    done.unlink(missing_ok=True)
    stage(work, sources)
    done.parent.mkdir(parents=True, exist_ok=True)
    done.touch()
    print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
