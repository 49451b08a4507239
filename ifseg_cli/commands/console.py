"""The one place that knows rich: consoles, tables, progress, and how an error looks.

People read stderr; machines read stdout, and find nothing there but what they asked for.
"""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape as escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from ifseg_cli.core.errors import IfsegError

DONE, FAULT, USER_ERROR, SOME_FAILED, INTERRUPTED = 0, 1, 2, 3, 130

err = Console(stderr=True, highlight=False)
out = Console(highlight=False)


def run(app: typer.Typer) -> None:
    """Run the app and turn every end into its exit code: 0 done, 2 the user's input, 3 some failed, 130 interrupted.

    A fault of ours is not caught: Python prints its traceback and exits with 1.
    """
    for stream in (sys.stdout, sys.stderr):  # names may hold bytes that are no text: escaped, never an error
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(standalone_mode=False)
    except IfsegError as error:
        say_error(error.message)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say_error("interrupted")
        sys.exit(INTERRUPTED)
    except Exception as error:
        sys.exit(_usage_error(error))
    sys.exit(code if isinstance(code, int) else DONE)


def _usage_error(error: Exception) -> int:
    """A click error is the user's: one line, and where help is. Everything else goes on as a traceback.

    Told by what it carries, not by its class: typer brings a click of its own in some versions, not in others.
    """
    if type(error).__name__ == "Abort":
        say_error("interrupted")
        return INTERRUPTED
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # pyright: ignore[reportAttributeAccessIssue]
        return USER_ERROR
    told = getattr(error, "format_message", None)
    if told is None:
        code = getattr(error, "exit_code", None)
        if isinstance(code, int):
            return code
        raise error
    context = getattr(error, "ctx", None)
    hint = f"; see {context.command_path} --help" if context else ""
    say_error(f"{' '.join(told().split()).rstrip('.')}{hint}")
    return USER_ERROR


def command() -> list[str]:
    """The command line as it was given, for the provenance of what it makes."""
    return ["ifseg", *sys.argv[1:]]


def be_silent() -> None:
    """Say nothing from here on, errors neither: another process of the same run says it."""
    err.quiet = True


def say(message: str) -> None:
    """One line for people. Rich markup is read; user text goes through `rich.markup.escape` first."""
    err.print(message)


def say_error(message: str) -> None:
    """The one line in which a command ends in failure. Never wrapped, so that it can be grepped."""
    err.print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)


def say_warning(message: str) -> None:
    """One line: the work goes on, but the user should know."""
    err.print(f"[yellow]warning:[/] {escape(message)}", soft_wrap=True)


def say_undrawable(names: Sequence[str], numbers: Sequence[int]) -> None:
    """Say once which names pictures cannot show, for want of a font, and what stands for them."""
    from ifseg_cli.core.errors import listed
    from ifseg_cli.core.images.lettering import drawable

    written = drawable(names, numbers)
    if lost := [f"{other} is {name}" for name, other in zip(names, written, strict=True) if name != other]:
        say_warning(f"no font on this machine has all letters; in pictures {listed(lost)} (Noto's fonts have them)")


def duration(seconds: float) -> str:
    """Seconds for people: `0.4 s`, `42 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def table(
    title: str | None,
    columns: Sequence[str | tuple[str, dict[str, Any]]],
    rows: Iterable[Sequence[Any]],
    header: bool = True,
) -> Table:
    """A plain table. A column is a header, or a header with `rich.table.Table.add_column` options.

    Cells are text (escaped here) or rich renderables.
    """
    made = Table(
        title=escape(title) if title else None,
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="bold",
        show_header=header,
    )
    for column in columns:
        name, options = column if isinstance(column, tuple) else (column, {})
        made.add_column(name, **options)
    for row in rows:
        made.add_row(*[escape(cell) if isinstance(cell, str) else cell for cell in row])
    return made


def progress(unit: str) -> Progress:
    """A progress bar on stderr; silent when stderr is no terminal.

    Tasks may carry a field `note` (shown at the end): `bar.add_task("adapting", total=100, note="loss 1.2")`.
    """
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=err,
        disable=not err.is_terminal,
    )


@contextmanager
def stop_on_signal(unit: str) -> Generator[Callable[[], bool]]:
    """The first Ctrl-C (or SIGTERM) lets the step or picture at hand end and be saved; the second one stops at once."""
    caught: list[int] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)
        say(f"[yellow]stopping after this {unit}; once more to stop at once[/]")

    earlier = {each: signal.signal(each, on_signal) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(caught)
    finally:
        for each, handler in earlier.items():
            signal.signal(each, handler)
