"""What a run would train on, to look at: `ifseg synth`, from Python. The same recipe and seed give the same images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ifseg_cli.core.adaptation.prepare import Run, prepare
from ifseg_cli.core.bases.places import DEFAULTS, LoadOptions
from ifseg_cli.core.errors import IfsegError
from ifseg_cli.core.files import require_folder, require_new, write_atomic, write_json
from ifseg_cli.core.provenance import provenance
from ifseg_cli.core.vocabulary.files import Words

if TYPE_CHECKING:
    from ifseg_cli.core.synthesis.draws import ArtificialImage
    from ifseg_cli.core.synthesis.statistics import DrawStatistics

MAX_SEED = 2**32 - 1  # as in a recipe
MAX_COUNT = 4096  # images; their targets are held in memory while they are written, 1 GB at 512 px


@dataclass(frozen=True, eq=False)
class Preview:
    """Some artificial images of a run."""

    run: Run
    images: tuple[ArtificialImage, ...]
    statistics: DrawStatistics
    files: tuple[Path, ...]  # written

    @property
    def title(self) -> str:
        """One line on all of them."""
        return _title(self.run, len(self.images))


def synth(
    categories: Words,
    *,
    out: str | Path = "synth",
    count: int = 16,
    seed: int | None = None,
    base: str = "builtin",
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    allow_unknown: bool = False,
    strict: bool = False,
    loading: LoadOptions = DEFAULTS,
    overwrite: bool = False,
    command: Sequence[str] = (),
) -> Preview:
    """Draw the first images of a run, and write sheet.png, samples.safetensors, statistics.json and provenance.json.

    Args:
        categories: a file, a shipped list's name, or names.
        out: the folder they go into.
        count: how many images, from the first one on; 1 to 4096.
        seed: instead of the recipe's.
        base: whose cells they are.
        recipe: name or file; None takes the base's own.
        overrides: `section.key=value` each.
        allow_unknown: take names the base does not know.
        strict: categories that are the same word to the base are an error, not a warning.
        loading: how the base is read.
        overwrite: replace the files of an earlier run.
        command: the command line, for the provenance.

    Raises:
        IfsegError: the first thing that is not right.
    """
    if not 1 <= count <= MAX_COUNT:
        raise IfsegError(f"--count {count}", f"1 to {MAX_COUNT}")
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise IfsegError(f"--seed {seed}", f"0 to {MAX_SEED}")
    require_new(Path(out), overwrite)
    require_folder(Path(out))
    run = prepare(
        categories,
        base=base,
        recipe=recipe,
        overrides=overrides,
        allow_unknown=allow_unknown,
        strict=strict,
        device="cpu",
        seed=seed,
        loading=loading,
        memory=None,  # nothing is trained
    )
    from ifseg_cli.core.synthesis.statistics import describe

    images = tuple(run.images.sample(index) for index in range(count))
    statistics = describe(run.images, images)
    return Preview(run, images, statistics, _write(Path(out), run, images, statistics, command))


def _write(
    out: Path, run: Run, images: Sequence[ArtificialImage], statistics: DrawStatistics, command: Sequence[str]
) -> tuple[Path, ...]:
    from ifseg_cli.core.synthesis.sheet import contact_sheet
    from ifseg_cli.core.synthesis.writing import write_samples

    names, sampler = run.vocabulary.names, run.images
    facts = {
        "base": run.base.origin or str(run.base.path),
        "base_sha256": run.base_sha256,
        "categories": run.vocabulary.source,
        "recipe": run.recipe_name,
        "settings": run.recipe.model_dump(mode="json"),
        "seed": sampler.seed,
        "count": len(images),
    }
    sheet = contact_sheet(images, names, run.vocabulary.colours, sampler.grid, _title(run, len(images)))
    files = tuple(out / name for name in ("sheet.png", "samples.safetensors", "statistics.json", "provenance.json"))
    write_atomic(files[0], sheet.save)
    write_samples(files[1], sampler, images)
    write_json(files[2], {"categories": list(names), **statistics.to_json()})
    write_json(files[3], provenance(command, **facts))
    return files


def _title(run: Run, count: int) -> str:
    images, plural = run.images, "s" if count > 1 else ""
    return (
        f"{count} artificial image{plural}, seed {images.seed}, layout {images.layout}, "
        f"{images.grid} x {images.grid} cells, {images.target_size} px"
    )
