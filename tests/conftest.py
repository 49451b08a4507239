from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent / "support"))

# Deadlines fail on a busy machine, not on a slow function.
settings.register_profile("ifseg", deadline=None)
settings.load_profile("ifseg")


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base folder with random weights and the real OFA dictionary; a step takes milliseconds."""
    from tiny import save_tiny_base

    return save_tiny_base(tmp_path_factory.mktemp("base") / "tiny")
