"""Vocabulary: category files, shipped lists, prompt, findings, colours."""

from ifseg_cli.core.images.colour import RGB
from ifseg_cli.core.vocabulary.category import Category
from ifseg_cli.core.vocabulary.colours import palette, resolve_colours
from ifseg_cli.core.vocabulary.files import categories_from_names, gather_categories, read_categories
from ifseg_cli.core.vocabulary.findings import Finding, near_synonyms
from ifseg_cli.core.vocabulary.known import KnownWords
from ifseg_cli.core.vocabulary.lists import list_names, shipped_list
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary, build_vocabulary, ignore_value, vocabulary_findings

__all__ = [
    "RGB",
    "Category",
    "Finding",
    "KnownWords",
    "Vocabulary",
    "build_vocabulary",
    "categories_from_names",
    "gather_categories",
    "ignore_value",
    "list_names",
    "near_synonyms",
    "palette",
    "read_categories",
    "resolve_colours",
    "shipped_list",
    "vocabulary_findings",
]
