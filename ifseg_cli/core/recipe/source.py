"""YAML text -> plain values, and where each of them stands.

YAML 1.1, which PyYAML reads, has traps that a recipe must not fall into: `5e-5` is text, `no` and `on` are booleans,
`1:30` is ninety, `010` is eight, a key given twice silently wins. Here plain words are read as YAML 1.2 reads them:
numbers are decimal, `true` and `false` are the only booleans, everything else is text. Keys given twice, anchors and
tags (which could run code or grow without bound) are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from ifseg_cli.core.errors import RecipeError

Key = tuple[str | int, ...]

_PLAIN = ("null", "bool", "int", "float", "str", "seq", "map")
_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in _PLAIN)


@dataclass
class Source:
    """Values of a recipe and the place of each, for errors.

    Lists are tuples. A place reads like `my.yaml, line 12` or `--set optimiser.steps`.
    """

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    places: dict[Key, str] = field(default_factory=dict[Key, str])

    def place(self, key: Key) -> str:
        """Where `key` stands, or the section around it if it is missing itself."""
        while key and key not in self.places:
            key = key[:-1]
        return self.places.get(key, "the recipe")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the words of YAML 1.2 and without aliases."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="an alias (*name)", problem_mark=self.peek_event().start_mark)
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+|[-+]?\.inf|\.nan",
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def read_yaml(text: str, name: str) -> Source:
    """Read a recipe file's text.

    Args:
        text: YAML with a mapping at its top; empty text is an empty recipe.
        name: how errors call it, for instance its path.

    Raises:
        RecipeError: not YAML, no mapping, a key twice, an alias, a tag.
    """
    source = Source(places={(): name})
    node = _compose(text, name)
    if node is None:
        return source
    if not isinstance(node, yaml.MappingNode):
        raise RecipeError(f"{name} holds no keys", "lines like `seed: 0`", "see the shipped recipe default.yaml")
    source.values = _mapping(node, (), name, source.places)
    return source


def read_value(text: str, place: str) -> object:
    """Read the value of one `--set`, by the same rules as a file.

    Raises:
        RecipeError: as `read_yaml`.
    """
    node = _compose(text, place)
    return None if node is None else _plain(node, (), place, {})


def _compose(text: str, name: str) -> yaml.Node | None:
    try:
        return yaml.compose(text, _Loader)
    except RecursionError as error:
        raise RecipeError(f"{name} is nested too deeply", "sections with keys, no more") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        problem = error.problem or error.context
        raise RecipeError(f"{name}{line}: cannot be read as YAML ({problem})", "`key: value` lines") from error
    except yaml.YAMLError as error:
        raise RecipeError(f"{name} is not YAML text ({error})", "a plain text file, UTF-8") from error


def _plain(node: yaml.Node, key: Key, name: str, places: dict[Key, str]) -> object:
    """Plain values of a node; the place of everything below it is noted in `places`."""
    place = f"{name}, line {node.start_mark.line + 1}"
    if node.tag not in _TAGS:
        raise RecipeError(f"{place}: the tag {node.tag}", "plain values without tags")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, key, name, places)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            places[(*key, index)] = f"{name}, line {item.start_mark.line + 1}"
        return tuple(_plain(item, (*key, index), name, places) for index, item in enumerate(node.value))
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (ValueError, KeyError, yaml.YAMLError) as error:  # `!!int many`, or a number of five thousand digits
        raise RecipeError(f"{place}: {str(node.value)[:40]!r}", f"a value of the kind {node.tag[18:]}") from error


def _mapping(node: yaml.MappingNode, key: Key, name: str, places: dict[Key, str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key_node, value_node in node.value:
        place = f"{name}, line {key_node.start_mark.line + 1}"
        if not isinstance(key_node, yaml.ScalarNode):
            raise RecipeError(f"{place}: a key that is no word", "`key: value` lines")
        word = str(key_node.value)
        if word in made:
            dotted = ".".join(map(str, (*key, word)))
            raise RecipeError(f"{place}: {dotted} is given twice", "each key once", "delete one of the two lines")
        places[(*key, word)] = place
        made[word] = _plain(value_node, (*key, word), name, places)
    return made
