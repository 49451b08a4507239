"""Where the data that ships lies: inside the package once it is installed, and beside it in a checkout.

`recipes/` stands at the top of the project and is packed as `ifseg_cli/recipes` (pyproject.toml); `labels/` and
`builtin/` lie inside the package everywhere.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def shipped(name: str) -> Path:
    """The folder `name` of what ships."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parent / name
