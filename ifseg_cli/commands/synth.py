"""`ifseg synth`: look at the artificial images that `ifseg adapt` would train on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ifseg_cli.commands import console, options

if TYPE_CHECKING:
    from ifseg_cli.core.adaptation.preview import Preview

MAX_IN_TERMINAL = 3
MAX_NAMED = 5  # categories never drawn that are named


def synth(
    categories: options.Words = None,
    count: Annotated[int, typer.Option(help="How many images, from the first one on; 1 to 4096.")] = 16,
    base: options.Base = "builtin",
    recipe: options.Recipe = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder that they go into.")] = Path("synth"),
    category: options.Category = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Instead of the recipe's; 0 or more.", show_default=False, rich_help_panel=options.RECIPE),
    ] = None,
    override: options.Set = None,
    allow_unknown: options.AllowUnknown = False,
    strict: options.Strict = False,
    tokenizer: options.Tokenizer = None,
    size_from_weights: options.SizeFromWeights = False,
    prompt: options.Prompt = None,
    offline: options.Offline = False,
    as_json: options.AsJson = False,
    overwrite: options.Overwrite = False,
) -> int:
    """Draw the artificial images that adapt would train on: the same recipe and seed give the same images.

    Shows the first of them here, and writes all to sheet.png and samples.safetensors, with statistics.json.

    Example:  ifseg synth cats.txt --count 64

    Example:  ifseg synth --category cat --category dog --recipe default --seed 1
    """
    from ifseg_cli.core.adaptation.preview import synth as draw

    preview = draw(
        options.words_given(categories, category),
        out=out,
        count=count,
        seed=seed,
        base=base,
        recipe=recipe,
        overrides=override or (),
        allow_unknown=allow_unknown,
        strict=strict,
        loading=options.loading(tokenizer, size_from_weights, prompt, offline),
        overwrite=overwrite,
        command=console.command(),
    )
    for warning in preview.run.warnings:
        console.say_warning(warning)
    console.say_undrawable(preview.run.vocabulary.names, range(len(preview.run.vocabulary.names)))
    if as_json:
        _print_json(preview)
    else:
        _show(preview)
        _show_statistics(preview)
    for file in preview.files:
        console.err.print(str(file), markup=False, soft_wrap=True)
    return console.DONE


def _show(preview: Preview) -> None:
    """The first images as the model reads them."""
    from ifseg_cli.commands.grids import grids

    vocabulary, shown = preview.run.vocabulary, preview.images[:MAX_IN_TERMINAL]
    captions = [f"{index}: {image.sides[0]} x {image.sides[1]}" for index, image in enumerate(shown)]
    cells = [image.cells(preview.run.images.grid) for image in shown]
    console.err.print(preview.title, style="bold")
    console.err.print(grids(cells, captions, vocabulary.names, vocabulary.colours, console.err))


def _show_statistics(preview: Preview) -> None:
    """The draw in numbers."""
    found = preview.statistics
    names, shares = preview.run.vocabulary.names, found.pixel_share
    low, high = min(range(len(names)), key=shares.__getitem__), max(range(len(names)), key=shares.__getitem__)
    cells, distinct = found.region_cells, found.categories_an_image
    rows = [
        ["sides", _sides("high", found.heights)],
        ["", _sides("wide", found.widths)],
        ["categories an image", f"{distinct.least:.0f} to {distinct.most:.0f}, mean {distinct.mean:.1f}"],
        ["connected regions", f"{found.regions} of {cells.least:.0f} to {cells.most:.0f} cells"],
        ["", f"median {cells.median:.0f}, mean {cells.mean:.1f}"],
        ["pixels a category", f"least {shares[low]:.2%} ({names[low]}), most {shares[high]:.2%} ({names[high]})"],
        ["", f"even would be {1 / len(names):.2%}"],
    ]
    if found.chi_square is not None:
        rows.append(["chi-square of the ids", f"{found.chi_square:.2f} a degree of freedom (about 1 when fair)"])
    never = [name for name, images in zip(names, found.images_with, strict=True) if not images]
    if never:
        more = ", ..." if len(never) > MAX_NAMED else ""
        rows.append(["in no image", f"{len(never)}: {', '.join(never[:MAX_NAMED])}{more}"])
    console.err.print()
    console.err.print(console.table(None, ["of the draw", ""], rows))
    console.err.print()


def _sides(word: str, histogram: Sequence[int]) -> str:
    """`2 to 31 cells high, mean 16.4`, from the number of images with side 1, 2, ..."""
    sides = [side for side, images in enumerate(histogram, start=1) if images]
    mean = sum(side * images for side, images in enumerate(histogram, start=1)) / sum(histogram)
    return f"{sides[0]} to {sides[-1]} {word}, mean {mean:.1f}"


def _print_json(preview: Preview) -> None:
    import json
    from dataclasses import asdict

    result = {
        "files": [str(file) for file in preview.files],
        "draws": asdict(preview.run.images),
        "categories": list(preview.run.vocabulary.names),
        "statistics": preview.statistics.to_json(),
    }
    typer.echo(json.dumps(result, indent=2, ensure_ascii=False))
