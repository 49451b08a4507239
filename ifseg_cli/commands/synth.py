"""`ifseg synth`: look at the artificial images that `ifseg adapt` would train on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ifseg_cli.commands import console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ifseg_cli.core.checkpoint.folder import LoadedModel
    from ifseg_cli.core.recipe import Recipe
    from ifseg_cli.core.synthesis.draws import ArtificialImage
    from ifseg_cli.core.synthesis.sampler import ArtificialImages
    from ifseg_cli.core.synthesis.statistics import DrawStatistics
    from ifseg_cli.core.vocabulary import Category, Vocabulary

MAX_COUNT = 4096  # images; their targets are held in memory while they are written, 1 GB at 512 px
MAX_IN_TERMINAL = 3
MAX_NAMED = 5  # categories never drawn that are named
EPILOG = """[bold]Examples[/]

ifseg synth cats.txt

ifseg synth --category cat --category dog --category grass --count 64 --seed 1

ifseg synth ade20k --recipe default --set synthesis.max_side=8 --out synth-8
"""


def synth(
    categories: Annotated[
        str | None,
        typer.Argument(metavar="[FILE|NAME]", help="A category file, or a shipped list by name.", show_default=False),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(help="A category by name, instead of a file; may be repeated.", show_default=False),
    ] = None,
    base: Annotated[str, typer.Option(help="The base that would be adapted: builtin, or a folder.")] = "builtin",
    recipe: Annotated[
        str | None, typer.Option(help="A shipped recipe by name, or a YAML file.", show_default="the base's own")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one value of the recipe.", show_default=False),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=MAX_COUNT, help="How many images, from the first one on.")] = 16,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed.", show_default="the recipe's")] = None,
    out: Annotated[Path, typer.Option(help="The folder for sheet, samples and statistics.")] = Path("synth"),
    as_json: Annotated[bool, typer.Option("--json", help="Statistics and files as JSON on stdout.")] = False,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Names the base does not know are a warning, not an error.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the files of an earlier run.")] = False,
) -> int:
    """Draw the artificial images that adapt would train on: the same recipe and seed give the same images.

    Writes sheet.png (all images with a legend), samples.safetensors (small maps, grids and targets), statistics.json
    and provenance.json, and shows the first images in the terminal.

    Example:  ifseg synth cats.txt --count 64
    """
    from ifseg_cli.core.files import require_new
    from ifseg_cli.core.recipe import load_recipe
    from ifseg_cli.core.vocabulary.files import gather_categories

    given, source = gather_categories(categories, category or ())
    settings = [*(set_ or ()), *([] if seed is None else [f"seed={seed}"])]
    chosen = load_recipe(recipe, settings) if recipe is not None else None
    require_new(out, overwrite)

    import torch  # from here on: what can be checked without it has been

    from ifseg_cli.core.checkpoint.folder import load_base
    from ifseg_cli.core.synthesis.sampler import sampler_for
    from ifseg_cli.core.synthesis.statistics import describe

    loaded = load_base(base, torch.device("cpu"))
    if chosen is None:
        recipe, chosen = loaded.recipe_name, load_recipe(loaded.recipe_name, settings)
    vocabulary = _vocabulary(loaded, given, source, allow_unknown)
    sampler = sampler_for(chosen, loaded.segmenter.config, len(vocabulary.names))
    images = [sampler.sample(index) for index in range(count)]
    statistics = describe(sampler, images)
    facts = _facts(base, loaded, str(recipe), chosen, source, count)
    files = _write(out, sampler, images, statistics, vocabulary, facts)
    if as_json:
        _print_json(out, files, sampler, statistics, vocabulary)
    else:
        _show(sampler, images, vocabulary)
        _show_statistics(statistics, vocabulary)
    for file in files:
        console.err.print(str(out / file), markup=False, soft_wrap=True)
    return console.DONE


def _vocabulary(loaded: LoadedModel, given: Sequence[Category], source: str, allow_unknown: bool) -> Vocabulary:
    """The vocabulary for this base; names it does not know are refused, or said to be unknown."""
    from ifseg_cli.core.vocabulary import build_vocabulary, vocabulary_findings

    config, known = loaded.segmenter.config, loaded.known
    reader = (loaded.tokenizer, config.prompt, config.max_text)
    made = build_vocabulary(given, *reader, source, known, allow_unknown)
    if allow_unknown:
        for finding in vocabulary_findings(given, *reader, known, allow_unknown)[2]:
            if finding.kind == "unknown":
                console.say_warning(finding.message)
    return made


def _facts(
    base: str, loaded: LoadedModel, recipe_name: str, recipe: Recipe, categories: str, count: int
) -> dict[str, Any]:
    """What the run knows of itself, for provenance.json."""
    return {
        "base": {"name": base, "sha256": loaded.weights_sha256()},
        "recipe": {"name": recipe_name, "values": recipe.model_dump(mode="json")},
        "categories": categories,
        "seed": recipe.seed,
        "count": count,
    }


def _write(
    out: Path,
    sampler: ArtificialImages,
    images: Sequence[ArtificialImage],
    statistics: DrawStatistics,
    vocabulary: Vocabulary,
    facts: dict[str, Any],
) -> tuple[str, ...]:
    """Write the four files; their names."""
    from ifseg_cli.core.files import write_atomic, write_json
    from ifseg_cli.core.provenance import provenance
    from ifseg_cli.core.synthesis.sheet import contact_sheet
    from ifseg_cli.core.synthesis.writing import write_samples

    sheet = contact_sheet(images, vocabulary.names, vocabulary.colours, sampler.grid, _title(sampler, len(images)))
    names = ("sheet.png", "samples.safetensors", "statistics.json", "provenance.json")
    write_atomic(out / names[0], sheet.save)
    write_samples(out / names[1], sampler, images)
    write_json(out / names[2], {"categories": list(vocabulary.names), **statistics.to_json()})
    write_json(out / names[3], provenance(["ifseg", *sys.argv[1:]], **facts))
    return names


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


def _print_json(
    out: Path,
    files: Sequence[str],
    sampler: ArtificialImages,
    statistics: DrawStatistics,
    vocabulary: Vocabulary,
) -> None:
    import json
    from dataclasses import asdict

    result = {
        "files": [str(out / file) for file in files],
        "draws": asdict(sampler),
        "categories": list(vocabulary.names),
        "statistics": statistics.to_json(),
    }
    typer.echo(json.dumps(result, indent=2, ensure_ascii=False))
