from __future__ import annotations

from pathlib import Path

import pytest

from ifseg_cli.core.prediction.model import Model


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny import save_tiny_model

    return save_tiny_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def model(model_folder: Path) -> Model:
    return Model.load(model_folder, "cpu")
