"""`ifseg synth`: look at the artificial images that `ifseg adapt` would train on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ifseg_cli.commands import console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifseg_cli.commands.starting import Start
    from ifseg_cli.core.synthesis.draws import ArtificialImage
    from ifseg_cli.core.synthesis.sampler import ArtificialImages
    from ifseg_cli.core.synthesis.statistics import DrawStatistics
    from ifseg_cli.core.vocabulary import Vocabulary

MAX_COUNT = 4096  # images; their targets are held in memory while they are written, 1 GB at 512 px
MAX_IN_TERMINAL = 3
MAX_NAMED = 5  # categories never drawn that are named


def synth(
    categories: Annotated[
        str | None,
        typer.Argument(metavar="[FILE|NAME]", help="A category file, or a shipped list by name.", show_default=False),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(help="A category by name, instead of a file; may be repeated.", show_default=False),
    ] = None,
    base: Annotated[
        str, typer.Option(help="The base: builtin, a folder, a .pt file, ofa-base or OWNER/NAME.")
    ] = "builtin",
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="Folder or file of the base's tokenizer, if it is not beside it.", show_default=False),
    ] = None,
    size_from_weights: Annotated[
        bool, typer.Option("--size-from-weights", help="Go on where a file's settings disagree with its weights.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never touch the network.")] = False,
    recipe: Annotated[
        str | None, typer.Option(help="A shipped recipe by name, or a YAML file.", show_default="the base's own")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one value of the recipe.", show_default=False),
    ] = None,
    count: Annotated[int, typer.Option(help="How many images, from the first one on; 1 to 4096.")] = 16,
    seed: Annotated[int | None, typer.Option(help="Instead of the recipe's; 0 or more.", show_default=False)] = None,
    out: Annotated[Path, typer.Option(help="The folder for sheet, samples and statistics.")] = Path("synth"),
    as_json: Annotated[bool, typer.Option("--json", help="Statistics and files as JSON on stdout.")] = False,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Names the base does not know are a warning, not an error.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the files of an earlier run.")] = False,
) -> int:
    """Draw the artificial images that adapt would train on: the same recipe and seed give the same images.

    Shows the first of them here, and writes all to sheet.png and samples.safetensors, with statistics.json.

    Example:  ifseg synth cats.txt --count 64

    Example:  ifseg synth --category cat --category dog --recipe default --seed 1
    """
    from ifseg_cli.commands.starting import start
    from ifseg_cli.core.checkpoint.layout import LoadOptions
    from ifseg_cli.core.errors import IfsegError
    from ifseg_cli.core.files import require_new

    if not 1 <= count <= MAX_COUNT:
        raise IfsegError(f"--count {count}", f"1 to {MAX_COUNT}")
    if seed is not None and seed < 0:
        raise IfsegError(f"--seed {seed}", "0 or more")
    require_new(out, overwrite)
    begun = start(
        categories=categories,
        names=category or (),
        base=base,
        recipe=recipe,
        overrides=set_ or (),
        allow_unknown=allow_unknown,
        seed=seed,
        loading=LoadOptions(tokenizer, size_from_weights, offline),
    )
    for warning in begun.warnings:
        console.say_warning(warning)

    from ifseg_cli.core.synthesis.statistics import describe

    images = [begun.images.sample(index) for index in range(count)]
    statistics = describe(begun.images, images)
    files = _write(out, begun, images, statistics)
    if as_json:
        _print_json(out, files, begun, statistics)
    else:
        _show(begun.images, images, begun.vocabulary)
        _show_statistics(statistics, begun.vocabulary)
    for file in files:
        console.err.print(str(out / file), markup=False, soft_wrap=True)
    return console.DONE


def _write(out: Path, begun: Start, images: Sequence[ArtificialImage], statistics: DrawStatistics) -> tuple[str, ...]:
    """Write the four files; their names."""
    from ifseg_cli.core.files import write_atomic, write_json
    from ifseg_cli.core.provenance import provenance
    from ifseg_cli.core.synthesis.sheet import contact_sheet
    from ifseg_cli.core.synthesis.writing import write_samples

    names, sampler = begun.vocabulary.names, begun.images
    facts = {
        "base": begun.base.origin or str(begun.base.path),
        "base_sha256": begun.base.weights_sha256(),
        "categories": begun.vocabulary.source,
        "recipe": begun.recipe_name,
        "settings": begun.recipe.model_dump(mode="json"),
        "seed": sampler.seed,
        "count": len(images),
    }
    sheet = contact_sheet(images, names, begun.vocabulary.colours, sampler.grid, _title(sampler, len(images)))
    write_atomic(out / "sheet.png", sheet.save)
    write_samples(out / "samples.safetensors", sampler, images)
    write_json(out / "statistics.json", {"categories": list(names), **statistics.to_json()})
    write_json(out / "provenance.json", provenance(["ifseg", *sys.argv[1:]], **facts))
    return "sheet.png", "samples.safetensors", "statistics.json", "provenance.json"


def _title(sampler: ArtificialImages, count: int) -> str:
    plural = "s" if count > 1 else ""
    return (
        f"{count} artificial image{plural}, seed {sampler.seed}, layout {sampler.layout}, "
        f"{sampler.grid} x {sampler.grid} cells, {sampler.target_size} px"
    )


def _show(sampler: ArtificialImages, images: Sequence[ArtificialImage], vocabulary: Vocabulary) -> None:
    """The first images as the model reads them."""
    from ifseg_cli.commands.grids import grids

    shown = images[:MAX_IN_TERMINAL]
    captions = [f"{index}: {image.sides[0]} x {image.sides[1]}" for index, image in enumerate(shown)]
    cells = [image.cells(sampler.grid) for image in shown]
    console.err.print(_title(sampler, len(images)), style="bold")
    console.err.print(grids(cells, captions, vocabulary.names, vocabulary.colours, console.err))


def _show_statistics(found: DrawStatistics, vocabulary: Vocabulary) -> None:
    """The draw in numbers."""
    names, shares = vocabulary.names, found.pixel_share
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


def _print_json(out: Path, files: Sequence[str], begun: Start, statistics: DrawStatistics) -> None:
    import json
    from dataclasses import asdict

    result = {
        "files": [str(out / file) for file in files],
        "draws": asdict(begun.images),
        "categories": list(begun.vocabulary.names),
        "statistics": statistics.to_json(),
    }
    typer.echo(json.dumps(result, indent=2, ensure_ascii=False))
