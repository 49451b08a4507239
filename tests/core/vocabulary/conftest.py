"""Two tokenizers and the words that the second one knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from ifseg_cli.core.vocabulary.known import KnownWords
from ifseg_cli.core.vocabulary.tokenizer import Tokenizer

DATA = Path(__file__).parents[2] / "data" / "tokenizer"


@pytest.fixture(scope="session")
def ofa() -> Tokenizer:
    """Byte-level BPE: reads any word."""
    return Tokenizer.load(DATA)


@pytest.fixture(scope="session")
def whole() -> Tokenizer:
    """Whole names: dog, cat, dining table, ..."""
    return Tokenizer.load(DATA / "whole_names.json")


@pytest.fixture(scope="session")
def known() -> KnownWords:
    return KnownWords.read(DATA / "words.json")
