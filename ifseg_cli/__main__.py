"""`ifseg` and `python -m ifseg_cli`: the same program."""

from __future__ import annotations

from ifseg_cli.commands.console import run


def main() -> None:
    """Run the command line; the exit code says how it went."""
    from ifseg_cli.app import app

    run(app)


if __name__ == "__main__":
    main()
