"""What a run of adaptation needs to know before its first step: everything that can be wrong is told here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ifseg_cli.core.adaptation.processes import ALONE, Processes, own_device, require_even
from ifseg_cli.core.bases.places import DEFAULTS, LoadOptions, require_base
from ifseg_cli.core.recipe import Recipe, load_recipe
from ifseg_cli.core.vocabulary.files import Words, gather_categories

if TYPE_CHECKING:
    from ifseg_cli.core.adaptation.samples import ArtificialSamples
    from ifseg_cli.core.bases.loaded import LoadedModel
    from ifseg_cli.core.synthesis.sampler import ArtificialImages
    from ifseg_cli.core.vocabulary.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Run:
    """All that a run needs to know before its first step."""

    base: LoadedModel  # with the vocabulary set
    base_name: str  # as the user named it, or repository@revision
    vocabulary: Vocabulary
    recipe: Recipe
    recipe_name: str
    images: ArtificialImages
    device: str  # which one, and why
    memory: int  # bytes that an update is expected to take
    warnings: tuple[str, ...]
    processes: Processes = ALONE

    def identity(self) -> dict[str, object]:
        """What a resumed run must share with the first: recipe, words, base.

        The plan need not be the same: another machine may go on with one of its own.
        """
        words = json.dumps(self.vocabulary.to_json(), sort_keys=True)
        return {
            "recipe": self.recipe.model_dump(mode="json", exclude={"plan"}),
            "categories": hashlib.sha256(words.encode()).hexdigest(),
            "base": self.base_sha256,
        }

    @property
    def share(self) -> int:
        """Samples of an update that fall to each process."""
        return self.recipe.optimiser.batch_size // self.processes.count

    @cached_property
    def samples(self) -> ArtificialSamples:
        """What it trains on.

        Raises:
            RecipeError: the recipe asks for cells that this base has not.
        """
        from ifseg_cli.core.adaptation.samples import make_samples

        return make_samples(self.base.network, self.images, self.recipe)

    @cached_property
    def base_sha256(self) -> str:
        """Hash of the weights one starts from; read when first asked for, before anything is written."""
        return self.base.weights_sha256()


def prepare(
    categories: Words,
    *,
    base: str = "builtin",
    recipe: str | Path | None = None,
    overrides: Sequence[str] = (),
    allow_unknown: bool = False,
    strict: bool = False,
    device: str = "auto",
    seed: int | None = None,
    loading: LoadOptions = DEFAULTS,
    memory: str | None = "auto",
    processes: Processes = ALONE,
) -> Run:
    """Check everything, load the base, set the vocabulary. The fast checks come first.

    Args:
        categories: a file, a shipped list's name, or names.
        base: `builtin`, a folder, a weights file, or a name on the model hub.
        recipe: name or file; None takes the base's own.
        overrides: `section.key=value` each.
        allow_unknown: take names the base does not know.
        strict: categories that are the same word to the base are an error, not a warning.
        device: `auto`, `cpu`, `cuda` or `mps`.
        seed: instead of the recipe's.
        loading: how the base is read.
        memory: what an update may take, `8GB` or `auto`; settles what of the recipe's `plan` is null. None: nothing.
        processes: those that share the run.

    Raises:
        IfsegError: the first thing that is not right.
    """
    chosen, source = gather_categories(categories)
    require_base(base, loading)
    if recipe is not None:
        load_recipe(recipe, overrides)  # a wrong recipe is told before the base is read

    from ifseg_cli.core.adaptation.parts import choose_trained
    from ifseg_cli.core.adaptation.plan import choose_plan
    from ifseg_cli.core.bases.folder import load_base
    from ifseg_cli.core.device import pick_device
    from ifseg_cli.core.synthesis.sampler import sampler_for
    from ifseg_cli.core.vocabulary.vocabulary import build_vocabulary, vocabulary_findings

    place, reason = pick_device(device)
    place = own_device(place, processes)
    loaded = load_base(base, place, loading)
    name = str(recipe or loaded.recipe_name)
    settings = load_recipe(name, overrides)
    require_even(settings.optimiser.batch_size, processes)
    if seed is not None:
        settings = settings.model_copy(update={"seed": seed})
    reader = loaded.reader.told(allow_unknown, strict)
    vocabulary = build_vocabulary(chosen, reader, source)
    warnings = tuple(each.message for each in vocabulary_findings(chosen, reader)[2] if each.level == "warning")
    loaded.network.set_vocabulary(vocabulary.prompt_ids, vocabulary.piece_ids)
    heights = reader.usual_heights(each.name for each in chosen)
    if memory is not None:
        choose_trained(loaded.network, settings)
    images = sampler_for(settings, loaded.network.pictures, len(chosen), usual_heights=heights)
    expected = 0
    if memory is not None:
        plan = choose_plan(loaded.network, settings, (images.grid, images.grid), memory, processes)
        precision = settings.plan.precision or ("bf16" if place.type == "cuda" else "fp32")
        settled = {"micro_batch": plan.micro_batch, "recompute": plan.recompute, "precision": precision}
        settings = settings.model_copy(update={"plan": settings.plan.model_copy(update=settled)})
        expected = plan.memory
    return Run(
        base=replace(loaded, vocabulary=vocabulary),
        base_name=loaded.origin or base,
        vocabulary=vocabulary,
        recipe=settings,
        recipe_name=name,
        images=images,
        device=reason,
        memory=expected,
        warnings=warnings,
        processes=processes,
    )
