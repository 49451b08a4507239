"""What a base reads in a list of categories: `ifseg vocab`, from Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ifseg_cli.core.bases.places import DEFAULTS, LoadOptions, require_base
from ifseg_cli.core.files import require_file, write_json
from ifseg_cli.core.vocabulary.files import Words, gather_categories
from ifseg_cli.core.vocabulary.inspection import Inspection, inspect_categories
from ifseg_cli.core.vocabulary.reader import Reader
from ifseg_cli.core.vocabulary.vocabulary import build_vocabulary


@dataclass(frozen=True)
class Vocab:
    """A list as a base reads it."""

    inspection: Inspection
    reader: Reader  # the base's
    source: str  # where the list came from
    base: str


def vocab(
    categories: Words,
    *,
    base: str = "builtin",
    out: str | Path | None = None,
    allow_unknown: bool = False,
    strict: bool = False,
    loading: LoadOptions = DEFAULTS,
    overwrite: bool = False,
) -> Vocab:
    """Inspect a list of categories; nothing about the list is an error here, all of it is among the findings.

    Args:
        categories: a file, a shipped list's name, or names.
        base: who reads them.
        out: where the vocabulary goes as JSON, if it has no errors.
        allow_unknown: names that the base does not know are a warning, not an error.
        strict: categories that are the same word to the base are an error, not a warning.
        loading: how the base is read.
        overwrite: replace the file `out`.

    Raises:
        CategoryError: the file cannot be read, or a line of it.
        CheckpointError: the base is not there, or not right.
        OutputError: `out` is there already, or cannot be written.
    """
    given, source = gather_categories(categories)
    require_base(base, loading)
    if out is not None:
        require_file(Path(out), overwrite)

    import torch  # from here on: what can be checked without it has been

    from ifseg_cli.core.bases.folder import load_base

    loaded = load_base(base, torch.device("cpu"), loading)
    reader = loaded.reader.told(allow_unknown, strict)
    found = Vocab(inspect_categories(given, reader, loaded.network.embedding), reader, source, base)
    if out is not None and not found.inspection.errors:
        write_json(Path(out), build_vocabulary(given, reader, source).to_json())
    return found
