"""What loading a base of 183 million parameters costs: peak memory and seconds, for each layout of its file.

    python benchmarks/load.py [--work FOLDER] [--layouts "fairseq float16" ...]

Makes OFA-base with random weights in every published layout and in our own, then loads each in a process of its own.
Memory is above a process that has imported torch, sampled every 2 ms while loading, and beside it its share of the
float32 weights: anonymous memory (what the machine must really have), and resident memory, in which the pages of a
mapped file count, too, for as long as nobody else needs the room. Tokenizer and the sanity forward are part of loading.
Linux only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOKENIZER = ROOT / "tests" / "data" / "tokenizer"
BAR = 1.3  # times the float32 weights
FILES = ("fairseq float32", "fairseq float16", "port float32", "port float16", "port safetensors", "own folder")


def make(kind: str, work: Path, size: str = "base") -> Path:
    """Write one file of random weights; the path to load."""
    import torch
    from safetensors.torch import save_file

    sys.path.insert(0, str(ROOT / "tests" / "support"))
    import published_files as files

    from ifseg_cli.core.bases.folder import LoadedModel, save_folder
    from ifseg_cli.core.bases.ofa.config import SIZES
    from ifseg_cli.core.vocabulary.reader import Reader
    from ifseg_cli.core.vocabulary.tokenizer import Tokenizer

    folder = files.tokenizer_beside(work / kind.replace(" ", "-"))
    files.CONFIG = SIZES[size]
    model = files.network()
    if kind == "own folder":
        reader = Reader(Tokenizer.load(TOKENIZER), files.CONFIG.prompt, files.CONFIG.max_text)
        save_folder(folder, LoadedModel(model, reader, None, "default", folder))
        return folder
    names = files.PORT_NAMES[:3] if kind.startswith("fairseq") else files.PORT_NAMES
    entries = files.bare(files.published(model, names))
    entries = {name: each.half() if kind.endswith("float16") else each for name, each in entries.items()}
    entries["decoder.embed_tokens.weight"] = entries["encoder.embed_tokens.weight"]
    if kind.startswith("fairseq"):
        torch.save({"args": argparse.Namespace(arch="ofa_base"), "model": entries}, folder / "ofa_base.pt")
        return folder / "ofa_base.pt"
    (folder / "config.json").write_text(json.dumps({"model_type": "ofa", "d_model": SIZES[size].dim}))
    if kind == "port safetensors":
        del entries["encoder.embed_tokens.weight"]  # one of the tied names, as safetensors itself writes them
        save_file(entries, folder / "model.safetensors")
    else:
        torch.save(entries, folder / "pytorch_model.bin")
    return folder


def memory() -> tuple[int, int]:
    """Bytes of anonymous and of resident memory of this process."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    if "RssAnon" not in lines:
        raise SystemExit("this benchmark needs Linux")
    return int(lines["RssAnon"].split()[0]) * 1024, int(lines["VmRSS"].split()[0]) * 1024


def measure(path: Path) -> None:
    """Load in this process; one line of JSON."""
    import torch

    before, peaks, done = memory(), [0, 0], threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            peaks[:] = map(max, peaks, memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = time.perf_counter()
    from ifseg_cli.core.bases.folder import load_base

    loaded = load_base(str(path), torch.device("cpu"))
    seconds = time.perf_counter() - begin
    done.set()
    watcher.join()
    parameters = sum(each.numel() for each in loaded.network.state_dict().values())
    found = {"peak": peaks[0] - before[0], "resident": peaks[1] - before[1], "kept": memory()[0] - before[0]}
    print(json.dumps(found | {"seconds": seconds, "bytes": 4 * parameters}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="where the files go (3 GB); a temporary folder otherwise")
    parser.add_argument("--layouts", nargs="+", default=FILES, choices=FILES, metavar="LAYOUT", help=", ".join(FILES))
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--make", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(options.measure)
    if options.make:
        print(make(options.make[0], Path(options.make[1])))
        return None
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        print(f"{'layout':<18}{'peak':>9}{'of fp32':>9}{'resident':>10}{'of fp32':>9}{'kept':>9}{'seconds':>9}")
        worst = max(row(kind, work) for kind in options.layouts)
    print(f"worst {worst:.2f} times the float32 weights, the bar is {BAR}")
    sys.exit(worst > BAR)


def row(kind: str, work: Path) -> float:
    """Make, load and print one layout; its peak of anonymous memory in float32 weights."""
    path = run("--make", kind, str(work))
    found = json.loads(run("--measure", path))
    share = found["peak"] / found["bytes"]
    peak, resident, kept = (f"{found[name] / 1e6:.0f} MB" for name in ("peak", "resident", "kept"))
    mapped = found["resident"] / found["bytes"]
    print(f"{kind:<18}{peak:>9}{share:>9.2f}{resident:>10}{mapped:>9.2f}{kept:>9}{found['seconds']:>9.1f}", flush=True)
    return share


def run(*words: str) -> str:
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.strip().splitlines()[-1]


if __name__ == "__main__":
    main()
