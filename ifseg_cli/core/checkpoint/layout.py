"""Where a base or a model lies on disk, and whether its files are there. Nothing heavy: asked before any work."""

from __future__ import annotations

from pathlib import Path

from ifseg_cli.core.errors import CheckpointError

WEIGHTS = "model.safetensors"
BUILTIN = Path(__file__).parents[2] / "builtin"


def base_folder(name: str) -> Path:
    """The folder of a base: `builtin`, or a path."""
    return BUILTIN if name == "builtin" else Path(name)


def require_base(name: str) -> None:
    """Refuse a base that is not there.

    Raises:
        CheckpointError: no such folder, or a file is missing.
    """
    require_folder(base_folder(name))


def require_folder(path: Path) -> None:
    """Refuse a folder that is no base and no model.

    Raises:
        CheckpointError: no such folder, or a file is missing.
    """
    if not path.exists():
        raise CheckpointError(
            f"there is no {path}", "a folder that ifseg adapt wrote", "run ifseg adapt, or name another folder"
        )
    for name in ("config.json", WEIGHTS, "tokenizer.json"):
        if not (path / name).is_file():
            raise CheckpointError(f"{path} has no {name}", "a base or a model of ifseg", "name another folder")
