"""A published OFA, in whatever file, -> a base; a training checkpoint of the published program -> a model.

read            reading.py: tensors and settings, nothing run
rename          keymap.py: every entry mapped, dropped on purpose, or fresh on purpose
size            sizes.py: from the shapes; the settings must agree
build           building.py
words           the tokenizer beside the file or by --tokenizer; a training checkpoint's own list of categories
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ifseg_cli.core.bases.loaded import LoadedModel
from ifseg_cli.core.bases.ofa.building import add_fresh, build_segmenter, checked, require_sense, shapes_of
from ifseg_cli.core.bases.ofa.config import ModelConfig
from ifseg_cli.core.bases.ofa.keymap import EMBEDDING, ROWS, SEGMENTATION, TIED, our_name
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.bases.ofa.sizes import (
    CHINESE_TOKENS,
    config_from_weights,
    require_agreement,
    require_known_kind,
    require_sane,
    size_name,
)
from ifseg_cli.core.bases.places import DEFAULTS, LoadOptions, weights_in
from ifseg_cli.core.errors import CheckpointError, NoTokenizerError, TokenizerError
from ifseg_cli.core.vocabulary.category import Category, check_name
from ifseg_cli.core.vocabulary.reader import Reader
from ifseg_cli.core.vocabulary.tokenizer import LAYOUTS, Tokenizer
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary, build_vocabulary
from ifseg_cli.core.weights.reading import Contents, read_contents

RECIPE = "default"  # the published run
LIKENESS = 0.99  # cosine of a stored category row and the mean of its sub-words, at least; half precision gives 1.0000


@dataclass(frozen=True)
class _Opened:
    """A published file under our names."""

    weights: dict[str, Tensor]
    rows: Tensor | None  # (M, d): of a training checkpoint
    contents: Contents
    config: ModelConfig


def load_published(
    path: Path, device: torch.device, options: LoadOptions = DEFAULTS, *, as_base: bool = False
) -> LoadedModel:
    """Load a published file or folder to `device` in float32.

    Args:
        path: the weights file, or the folder they lie in.
        device: where the model goes.
        options: tokenizer, categories, whether the tensors' sizes are right.
        as_base: leave out the categories of a training checkpoint.

    Returns:
        A base; with its vocabulary set if the file is a training checkpoint.

    Raises:
        CheckpointError: the file is not right.
        TokenizerError: there is no tokenizer, or it is another model's.
        CategoryError: the categories are not right.
    """
    file = weights_in(path) if path.is_dir() else path
    opened = _open(file, options)
    config, rows = opened.config, opened.rows
    reader = Reader(_tokenizer(file, config, options), config.prompt, config.max_text)
    vocabulary = None
    if rows is not None and not as_base:
        vocabulary = _vocabulary(file, opened, reader, options)
    title = f"{size_name(config)}, {opened.contents.layout} layout, {'pre-trained' if rows is None else 'adapted'}"
    segmenter = build_segmenter(config, opened.weights, str(file))
    require_sense(segmenter, str(file))
    if vocabulary is not None and rows is not None:
        segmenter.set_vocabulary(vocabulary.prompt_ids, vocabulary.piece_ids)
        _require_same_rows(file, segmenter, rows, vocabulary)
    segmenter.to(device).eval()
    return LoadedModel(segmenter, reader, vocabulary, RECIPE, path, weights=file, title=title)


def _open(file: Path, options: LoadOptions) -> _Opened:
    """Read, rename, size; refuse what does not agree."""
    contents = read_contents(file)
    source, settings = str(file), contents.settings
    rows = contents.tensors.get(ROWS)
    if rows is not None:
        rows = checked(ROWS, rows, torch.float32, source)
    weights = {ours: each for name, each in contents.tensors.items() if (ours := our_name(name)) is not None}
    if EMBEDDING not in weights:
        tied = next((contents.tensors[name] for name in TIED if name in contents.tensors), None)
        weights |= {} if tied is None else {EMBEDDING: tied}
    contents.tensors.clear()
    training = SEGMENTATION in weights
    require_known_kind(settings, training, source)
    config = config_from_weights(shapes_of(weights), settings, source)
    if options.prompt is not None:
        config = replace(config, prompt=options.prompt)
        require_sane(config, "--prompt")
    if config.tokens == CHINESE_TOKENS:
        found = f"{source} is a {size_name(config)}: its dictionary has {CHINESE_TOKENS} entries"
        raise CheckpointError(found, "an English OFA, with 59457", "fetch the English one; IFSeg works with no other")
    if not options.size_from_weights:
        require_agreement(config, settings, training, source)
    add_fresh(config, weights)
    if training and rows is None:
        raise CheckpointError(f"{source} is adapted, but holds no {ROWS}", "a whole training checkpoint")
    return _Opened(weights, rows if training else None, contents, config)


def _tokenizer(file: Path, config: ModelConfig, options: LoadOptions) -> Tokenizer:
    """The tokenizer that belongs to a file."""
    place = options.tokenizer or file.parent
    try:
        tokenizer = Tokenizer.load(place)
    except NoTokenizerError as error:
        if options.tokenizer is not None:
            raise
        remedy = (
            "say --tokenizer FOLDER: utils/BPE of the OFA repository, or the vocab.json and merges.txt of any OFA on "
            "the model hub"
        )
        raise NoTokenizerError(f"{error.found} beside {file.name}", LAYOUTS, remedy) from error
    # IFSeg's own table has one row more than OFA's dictionary; no text uses it.
    if config.tokens - tokenizer.size not in (0, 1):
        found = f"{place} has {tokenizer.size} ids, {file} has {config.tokens} token rows"
        raise TokenizerError(found, "the tokenizer of this model", "say --tokenizer FOLDER")
    return tokenizer


def _vocabulary(file: Path, opened: _Opened, reader: Reader, options: LoadOptions) -> Vocabulary:
    """The categories of a training checkpoint: by --categories, or from its own settings."""
    assert opened.rows is not None
    categories, source = options.categories, "--categories"
    if categories is None:
        categories, source = _own_categories(file, opened.contents.settings), f"the settings of {file.name}"
    count = opened.rows.shape[0] if opened.rows.dim() == 2 else 0
    if len(categories) != count:
        found = f"{file} was adapted to {count} categories, {source} {'name' if options.categories else 'names'} "
        raise CheckpointError(
            f"{found}{len(categories)}", f"{count} names", "give --categories in the order of its training"
        )
    return build_vocabulary(categories, reader, str(file))


def _own_categories(file: Path, settings: dict[str, Any]) -> tuple[Category, ...]:
    listed = settings.get("category_list")
    if not isinstance(listed, str) or not listed.strip():
        raise CheckpointError(
            f"{file} does not say what its categories are", "category_list in its settings", "give --categories"
        )
    names = [name.strip() for name in listed.split(",")]
    for name in names:
        check_name(name, f"the settings of {file.name}")
    return tuple(Category(name) for name in names)


def _require_same_rows(file: Path, segmenter: Segmenter, rows: Tensor, vocabulary: Vocabulary) -> None:
    """The names must give the rows the file was trained with: another order or another tokenizer would not."""
    if rows.shape != segmenter.rows.shape:
        raise CheckpointError(f"{file}: {ROWS} {tuple(rows.shape)}", str(tuple(segmenter.rows.shape)))
    likeness = torch.cosine_similarity(rows.float(), segmenter.rows, dim=1)
    wrong = (~(likeness >= LIKENESS)).nonzero()[:, 0].tolist()
    if wrong:
        name = vocabulary.names[wrong[0]]
        found = f"{file}: category {wrong[0]} was not {name!r} when it was trained ({len(wrong)} of {len(rows)} differ)"
        raise CheckpointError(found, "the names of its training, in that order", "give --categories, or --tokenizer")
