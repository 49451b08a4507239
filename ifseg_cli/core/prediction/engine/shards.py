"""Shards: which of the pictures are this process's. Any number of processes, on any machines, one output folder.

A picture belongs to shard `i` of `n` by a hash of its name alone, so nobody needs to ask anybody: every process lists
the same folder and takes its own. Where a launcher says who one is, nobody needs to say it again:

    torchrun                   RANK (0 .. n - 1) and WORLD_SIZE
    Slurm, an array of jobs    SLURM_ARRAY_TASK_ID, _MIN, _STEP and _COUNT; asked for by --shard auto
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from ifseg_cli.core.errors import ShardError

AUTO = "auto"
MOST = 100_000  # shards; more is a slip of the hand
FORM = "--shard 2/8: the second of eight, or --shard auto in an array of Slurm's"


@dataclass(frozen=True)
class Shard:
    """One of so many parts.

    Args:
        number: which, 1 .. `of`.
        of: how many.
    """

    number: int = 1
    of: int = 1

    def takes(self, name: PurePath | str) -> bool:
        """Whether a picture of this name (its path below the input) is this shard's."""
        text = name if isinstance(name, str) else name.as_posix()
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.of == self.number - 1

    @property
    def is_all(self) -> bool:
        """Whether there is no other."""
        return self.of == 1

    def file(self, name: str) -> str:
        """The name of its own file of a kind: `predictions.jsonl`, or `predictions-2-of-8.jsonl`."""
        stem, dot, suffix = name.partition(".")
        return name if self.is_all else f"{stem}-{self.number}-of-{self.of}{dot}{suffix}"

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


ALL = Shard()


def choose_shard(text: str | None, environment: Mapping[str, str]) -> Shard:
    """What the user or the launcher says.

    Args:
        text: `i/n`, `auto`, or None: as torchrun says, else all.
        environment: the process's variables.

    Raises:
        ShardError: it is neither, or Slurm says nothing.
    """
    if text is None:
        rank, world = environment.get("RANK", ""), environment.get("WORLD_SIZE", "")
        return _checked(int(rank) + 1, int(world)) if rank.isdecimal() and world.isdecimal() else ALL
    if text == AUTO:
        return _of_slurm(environment)
    found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if found is None:
        raise ShardError(f"--shard {text}", FORM)
    return _checked(int(found[1]), int(found[2]))


def _of_slurm(environment: Mapping[str, str]) -> Shard:
    names = ("ID", "MIN", "COUNT", "STEP")
    values = {name: environment.get(f"SLURM_ARRAY_TASK_{name}", "1" if name == "STEP" else "") for name in names}
    missing = [f"SLURM_ARRAY_TASK_{name}" for name in names if not values[name].isdecimal()]
    if missing:
        raise ShardError(f"--shard auto, and {missing[0]} is not set", "an array of Slurm's jobs", "say --shard 2/8")
    number = {name: int(value) for name, value in values.items()}
    return _checked((number["ID"] - number["MIN"]) // max(1, number["STEP"]) + 1, number["COUNT"])


def _checked(number: int, of: int) -> Shard:
    if not 1 <= number <= of <= MOST:
        raise ShardError(f"shard {number} of {of}", f"from 1 to the number of shards, at most {MOST:,}", f"say {FORM}")
    return Shard(number, of)
