"""What `synth` and `adapt` begin with: a base, a vocabulary, a recipe, and the artificial images they give together.

The fast checks come first: a wrong option is told before the weights are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from ifseg_cli.core.checkpoint.folder import LoadedModel
    from ifseg_cli.core.checkpoint.layout import LoadOptions
    from ifseg_cli.core.recipe import Recipe
    from ifseg_cli.core.synthesis.batches import EvidenceSamples, RowSamples
    from ifseg_cli.core.synthesis.sampler import ArtificialImages
    from ifseg_cli.core.vocabulary.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Start:
    """All that a run needs to know before its first step."""

    base: LoadedModel  # with the vocabulary set
    vocabulary: Vocabulary
    recipe: Recipe
    recipe_name: str
    images: ArtificialImages
    warnings: tuple[str, ...]

    def samples(self) -> RowSamples | EvidenceSamples:
        """The training samples of the recipe: bare rows, or cells with the base's own noise."""
        from ifseg_cli.core.synthesis.batches import make_samples

        return make_samples(self.base.segmenter, self.images, self.recipe)


def start(
    *,
    categories: str | None,
    names: Sequence[str],
    base: str,
    recipe: str | None,
    overrides: Sequence[str],
    allow_unknown: bool,
    device: torch.device | None = None,
    seed: int | None = None,
    loading: LoadOptions | None = None,
) -> Start:
    """Check everything, load the base, set the vocabulary.

    Args:
        categories: file or shipped list, or None.
        names: the values of `--category`.
        base: `builtin`, a folder, a weights file, or a name on the model hub.
        recipe: name or file; None takes the base's own.
        overrides: the values of `--set`.
        allow_unknown: take names the base does not know.
        device: where the model goes; None is the CPU.
        seed: instead of the recipe's.
        loading: how the base is read.

    Raises:
        IfsegError: the first thing that is not right.
    """
    from ifseg_cli.core.checkpoint.layout import DEFAULTS, require_base
    from ifseg_cli.core.recipe import load_recipe
    from ifseg_cli.core.vocabulary.files import gather_categories

    chosen, source = gather_categories(categories, names)
    require_base(base, loading or DEFAULTS)
    if recipe is not None:
        load_recipe(recipe, overrides)  # a wrong recipe is told before the base is read
    import torch

    from ifseg_cli.core.checkpoint.folder import load_base
    from ifseg_cli.core.synthesis.sampler import sampler_for
    from ifseg_cli.core.vocabulary.vocabulary import build_vocabulary

    loaded = load_base(base, device or torch.device("cpu"), loading or DEFAULTS)
    name = recipe or loaded.recipe_name
    settings = load_recipe(name, overrides)
    if seed is not None:
        settings = settings.model_copy(update={"seed": seed})
    config = loaded.segmenter.config
    vocabulary = build_vocabulary(
        chosen, loaded.tokenizer, config.prompt, config.max_text, source, loaded.known, allow_unknown
    )
    loaded.segmenter.set_vocabulary(vocabulary.prompt_ids, vocabulary.piece_ids)
    usual = loaded.known.heights(each.name for each in chosen) if loaded.known else None
    images = sampler_for(settings, config, len(chosen), usual_heights=usual)
    warnings = _warnings(loaded, vocabulary, allow_unknown)
    return Start(replace(loaded, vocabulary=vocabulary), vocabulary, settings, name, images, warnings)


def _warnings(loaded: LoadedModel, vocabulary: Vocabulary, allow_unknown: bool) -> tuple[str, ...]:
    from ifseg_cli.core.vocabulary.vocabulary import vocabulary_findings

    config = loaded.segmenter.config
    _, _, findings = vocabulary_findings(
        vocabulary.categories, loaded.tokenizer, config.prompt, config.max_text, loaded.known, allow_unknown
    )
    return tuple(finding.message for finding in findings if finding.level == "warning")
