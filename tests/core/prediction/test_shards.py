"""Every picture is exactly one shard's, whoever asks; who one is can be said by the user, torchrun or Slurm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ifseg_cli.core.errors import ShardError
from ifseg_cli.core.prediction.engine.shards import ALL, Shard, choose_shard


@given(st.text(st.characters(exclude_characters="\0")), st.integers(1, 50))
def test_a_picture_is_one_shards(name: str, of: int) -> None:
    assert sum(Shard(number, of).takes(name) for number in range(1, of + 1)) == 1


def test_shards_are_of_like_size() -> None:
    names = [f"part {number % 7}/{number:06d}.jpg" for number in range(8000)]
    sizes = [sum(Shard(number, 8).takes(name) for name in names) for number in range(1, 9)]
    assert sum(sizes) == 8000 and min(sizes) > 850 and max(sizes) < 1150


def test_names_of_files() -> None:
    assert ALL.file("predictions.jsonl") == "predictions.jsonl"
    assert Shard(2, 8).file("predictions.jsonl") == "predictions-2-of-8.jsonl"


SLURM = {"SLURM_ARRAY_TASK_ID": "14", "SLURM_ARRAY_TASK_MIN": "10", "SLURM_ARRAY_TASK_COUNT": "8"}


@pytest.mark.parametrize(
    ("text", "environment", "shard"),
    [
        (None, {}, ALL),
        (None, {"RANK": "0", "WORLD_SIZE": "1"}, ALL),
        (None, {"RANK": "3", "WORLD_SIZE": "4"}, Shard(4, 4)),
        (None, SLURM, ALL),  # an array is often of other things: it is asked for
        ("2/8", {"RANK": "3", "WORLD_SIZE": "4"}, Shard(2, 8)),
        ("auto", SLURM, Shard(5, 8)),
        ("auto", SLURM | {"SLURM_ARRAY_TASK_STEP": "2"}, Shard(3, 8)),
    ],
)
def test_who_one_is(text: str | None, environment: dict[str, str], shard: Shard) -> None:
    assert choose_shard(text, environment) == shard


@pytest.mark.parametrize("text", ["0/8", "9/8", "1/0", "1", "a/b", "-1/2", "1/2/3", "", "1/999999999"])
def test_what_is_no_shard(text: str) -> None:
    with pytest.raises(ShardError):
        choose_shard(text, {})


def test_auto_without_slurm_says_what_is_missing() -> None:
    with pytest.raises(ShardError, match="SLURM_ARRAY_TASK_ID is not set"):
        choose_shard("auto", {})
