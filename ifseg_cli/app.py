"""The command line: five commands, nothing else."""

from __future__ import annotations

from typing import Annotated

import typer

from ifseg_cli.commands import adapt, evaluate, predict, synth, vocab

app = typer.Typer(
    name="ifseg",
    help="From a text file of categories to masks on a folder of images, without one training image or mask.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from ifseg_cli import __version__

        typer.echo(f"ifseg {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """From words to masks: vocab, synth, adapt, predict, evaluate."""


app.command("vocab")(vocab.vocab)
app.command("synth")(synth.synth)
app.command("adapt")(adapt.adapt)
app.command("predict")(predict.predict)
app.command("evaluate")(evaluate.evaluate)
