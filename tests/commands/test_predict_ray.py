"""A real Ray cluster of two nodes, one of them killed in mid-run: every picture once, and the masks of one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import ifseg
from test_predict_chaos import masks, photographs
from test_predict_shards import images
from tiny import save_tiny_model

pytest.importorskip("ray", reason="needs the extra: pip install 'ifseg[ray]'")
PICTURES = 160


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ray")
    save_tiny_model(made / "model")
    photographs(made / "in", PICTURES)
    (made / "in" / "broken.jpg").write_bytes(b"broken")
    done = ifseg("predict", "in", "--model", "model", "--out", "alone", "--no-overlay", cwd=made)
    assert done.returncode == 3, done.stderr
    return made


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    made.wait_for_nodes()
    yield made
    made.shutdown()


def lines(out: Path) -> int:
    path = out / "predictions.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


def works(node: Any) -> bool:
    """Whether a process of a node has the model and is at work."""
    raylet = node.all_processes["raylet"][0].process.pid
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == raylet and "MapWorker(MapBatches(Worker)).submit" in (path / "cmdline").read_text():
                return True
        except OSError:  # gone while we looked
            continue
    return False


def test_a_node_is_lost_in_mid_run(folder: Path, cluster: Any) -> None:
    out = folder / "out"
    words = ["predict", "in", "--model", "model", "--out", "out", "--no-overlay", "--engine", "ray"]
    process = subprocess.Popen(
        [sys.executable, "-m", "ifseg_cli", *words],
        cwd=folder,
        env={
            **os.environ,
            "RAY_ADDRESS": cluster.address,
            "RAY_DATA_DEFAULT_WAIT_FOR_MIN_ACTORS_S": "120",  # both nodes' workers are there before the first picture
            "OMP_NUM_THREADS": "1",
            "NO_COLOR": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    node = next(iter(cluster.worker_nodes))
    while process.poll() is None and not (lines(out) and works(node)):
        time.sleep(0.005)
    assert 0 < lines(out) < PICTURES, "over before the node could be killed"
    cluster.remove_node(node, allow_graceful=False)
    said = process.communicate(timeout=240)[1]
    assert process.returncode == 3 and "Traceback" not in said, said
    assert masks(out) == masks(folder / "alone")
    assert images(out) == images(folder / "alone") and len(images(out)) == PICTURES
    failed = (out / "failures.jsonl").read_text().splitlines()
    assert [json.loads(line)["image"] for line in failed] == ["broken.jpg"]
    again = ifseg(*words, "--json", cwd=folder, RAY_ADDRESS=cluster.address)
    assert json.loads(again.stdout.splitlines()[-1])["done_before"] == PICTURES


def test_an_engine_nobody_knows(folder: Path) -> None:
    done = ifseg("predict", "in", "--model", "model", "--out", "no", "--engine", "spark", cwd=folder)
    assert done.returncode == 2 and done.stderr == "error: --engine spark; expected local or ray\n"
