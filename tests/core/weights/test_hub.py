"""A base by its name on the hub: real requests to a hub on loopback, and none at all where none are wanted."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import published_files as files
import pytest
import torch
from command import ifseg, one_line_error
from hub_server import COMMIT, Hub, serving

from ifseg_cli.core.bases.places import find_base
from ifseg_cli.core.errors import CheckpointError
from ifseg_cli.core.weights.hub import PUBLISHED, HubId

NAME = "OFA-Sys/ofa-base"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return files.port_folder(tmp_path_factory.mktemp("hub") / "repository")


@pytest.fixture
def hub(folder: Path) -> Iterator[Hub]:
    with serving(folder, NAME) as hub:
        yield hub


def settings(tmp_path: Path, address: str, **more: str) -> dict[str, str]:
    return {
        "HF_ENDPOINT": address,
        "HF_HOME": str(tmp_path / "home"),
        "NO_PROXY": "*",
        "HF_HUB_DISABLE_XET": "1",
        **more,
    }


def vocab(
    tmp_path: Path, address: str, *words: str, base: str = "ofa-base", **more: str
) -> subprocess.CompletedProcess[str]:
    command = ["vocab", "--category", "cat", "--category", "tree", "--json", "--base", base, *words]
    return ifseg(*command, cwd=tmp_path, **settings(tmp_path, address, **more))


def nowhere() -> str:
    """An address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def downloads(hub: Hub) -> list[str]:
    return [each for each in hub.asked if each.startswith("GET /elsewhere/")]


@pytest.mark.parametrize("base", ["ofa-base", NAME, f"{NAME}@main", f"ofa-base@{COMMIT}"])
def test_a_base_is_fetched_by_name_through_a_redirect(hub: Hub, tmp_path: Path, base: str) -> None:
    done = vocab(tmp_path, hub.address, base=base)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["base"] == base
    assert downloads(hub) == ["GET /elsewhere/pytorch_model.bin"]


def test_what_is_here_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    assert vocab(tmp_path, hub.address).returncode == 0
    hub.asked.clear()
    assert vocab(tmp_path, hub.address).returncode == 0
    assert not downloads(hub)


@pytest.mark.parametrize("how", ["--offline", "HF_HUB_OFFLINE", "no network", "hub down"])
def test_what_is_here_is_enough_without_network(hub: Hub, tmp_path: Path, how: str) -> None:
    assert vocab(tmp_path, hub.address).returncode == 0
    hub.asked.clear()
    hub.faults |= {"down"} if how == "hub down" else set()
    more = {"HF_HUB_OFFLINE": "1"} if how == "HF_HUB_OFFLINE" else {}
    words = ["--offline"] if how == "--offline" else []
    done = vocab(tmp_path, nowhere() if how == "no network" else hub.address, *words, **more)
    assert done.returncode == 0, done.stderr
    assert how == "hub down" or not hub.asked


@pytest.mark.parametrize("how", ["--offline", "HF_HUB_OFFLINE", "no network"])
def test_without_network_it_says_what_to_fetch_and_where_to_put_it(hub: Hub, tmp_path: Path, how: str) -> None:
    more = {"HF_HUB_OFFLINE": "1"} if how == "HF_HUB_OFFLINE" else {}
    words = ["--offline"] if how == "--offline" else []
    line = one_line_error(vocab(tmp_path, nowhere() if how == "no network" else hub.address, *words, **more))
    for part in (NAME, "config.json", "vocab.json", "merges.txt", "pytorch_model.bin", "about 728 MB", "--base FOLDER"):
        assert part in line
    assert not hub.asked


def test_a_local_path_never_touches_the_network(hub: Hub, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "ofa-base").symlink_to(folder)  # even where its name is a short name
    for base in (str(folder), "ofa-base", "builtin"):
        assert vocab(tmp_path, hub.address, base=base).returncode == 0
    assert not hub.asked


def test_a_connection_that_breaks_goes_on_where_it_stopped(folder: Path, tmp_path: Path) -> None:
    """The library writes pieces of 10 MB, so the file must be larger; what makes it so is an entry that is dropped."""
    large = Path(shutil.copytree(folder, tmp_path / "large"))
    entries = torch.load(large / "pytorch_model.bin", weights_only=True)
    torch.save(entries | {"decoder.output_projection.weight": torch.ones(7_000_000)}, large / "pytorch_model.bin")
    with serving(large, NAME) as hub:
        hub.faults.add("break")
        done = vocab(tmp_path, hub.address)
        assert done.returncode == 0, done.stderr
        first, second = downloads(hub)
    assert "bytes" not in first
    assert int(second.partition("bytes=")[2].partition("-")[0]) >= 10 << 20


def test_a_wrong_hash_is_told_and_the_file_removed(hub: Hub, tmp_path: Path) -> None:
    hub.faults.add("hash")
    line = one_line_error(vocab(tmp_path, hub.address))
    assert "SHA-256" in line
    assert "removed" in line
    hub.faults.clear()
    assert vocab(tmp_path, hub.address).returncode == 0, "the next try fetches anew"


def test_a_repository_that_moved(hub: Hub, tmp_path: Path) -> None:
    hub.faults.add("moved")
    assert vocab(tmp_path, hub.address).returncode == 0


@pytest.mark.parametrize(
    ("base", "told"),
    [("OFA-Sys/nothing", "there is no OFA-Sys/nothing"), (f"{NAME}@other", "has no revision other")],
)
def test_what_the_hub_does_not_have(hub: Hub, tmp_path: Path, base: str, told: str) -> None:
    assert told in one_line_error(vocab(tmp_path, hub.address, base=base))


def test_a_repository_that_is_no_ofa(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text("{}")
    with serving(tmp_path / "other", NAME) as hub:
        line = one_line_error(vocab(tmp_path, hub.address))
    assert "has no vocab.json, merges.txt, model.safetensors or pytorch_model.bin" in line
    assert not downloads(hub)


def test_revision_and_hash_are_kept_with_the_model(hub: Hub, folder: Path, tmp_path: Path) -> None:
    small = ["--set", "optimiser.steps=1", "--set", "optimiser.batch_size=1", "--set", "target_size=32"]
    words = ["--category", "cat", "--category", "tree", "--base", "ofa-base", "--out", "model", "--save", "fp16"]
    done = ifseg("adapt", *words, *small, cwd=tmp_path, **settings(tmp_path, hub.address))
    assert done.returncode == 0, done.stderr
    kept = json.loads((tmp_path / "model" / "provenance.json").read_text())
    assert kept["base"] == f"{NAME}@{COMMIT}"
    assert kept["base_sha256"] == hashlib.sha256((folder / "pytorch_model.bin").read_bytes()).hexdigest()


def test_short_names_and_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [find_base(name) for name in PUBLISHED] == [HubId(f"OFA-Sys/{name}") for name in PUBLISHED]
    assert find_base("me/my-ofa@v1.0") == HubId("me/my-ofa", "v1.0")
    for name in ("ofa-giant", "./a/b", "/a/b", "a/b.pt", "a//b", "../a", "a/b/c", ""):
        with pytest.raises(CheckpointError):
            assert find_base(name) == Path()
