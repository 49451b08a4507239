"""A schema in words: which keys it has, and what each of them expects."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ifseg_cli.core.recipe.source import Key

_KINDS: dict[Any, str] = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def keys(model: type[BaseModel]) -> tuple[str, ...]:
    """Every key that holds a value, dotted, in the order of the schema; sections themselves are left out."""
    found: list[str] = []
    for name, info in model.model_fields.items():
        section = _section(info.annotation)
        found += [name] if section is None else [f"{name}.{inner}" for inner in keys(section)]
    return tuple(found)


def expectation(model: type[BaseModel], key: Key) -> str:
    """What the value of `key` should be, for instance `a whole number from 1 to 1024, or null`."""
    name, rest = str(key[0]), key[1:]
    info = model.model_fields[name]
    section = _section(info.annotation)
    if section is None:
        return _words(info.annotation, info.metadata)
    if rest:
        return expectation(section, rest)
    return f"a section with the keys {', '.join(section.model_fields)}"


def _section(annotation: object) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _words(annotation: object, bounds: list[Any]) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [
            bound for item in arguments[1:] for bound in (item.metadata if isinstance(item, FieldInfo) else [item])
        ]
        return _words(arguments[0], inner + bounds)
    if origin is Literal:
        *before, last = (str(choice) for choice in arguments)
        return f"{', '.join(before)} or {last}" if before else last
    if origin in (Union, types.UnionType):
        return ", or ".join("null" if kind is type(None) else _words(kind, bounds) for kind in arguments)
    if origin is tuple:
        many = "a list" if arguments[-1] is Ellipsis else f"a list of {len(arguments)}"
        return f"{many}, each {_words(arguments[0], [])}"
    return f"{_KINDS.get(annotation, str(annotation))}{_range(bounds)}"


def _range(bounds: list[Any]) -> str:
    """` from 1 to 1024`, ` of at least 0 and below 1`, ` above 0`, or nothing."""
    lower = next((bound for bound in bounds if isinstance(bound, Ge | Gt)), None)
    upper = next((bound for bound in bounds if isinstance(bound, Le | Lt)), None)
    if isinstance(lower, Ge) and isinstance(upper, Le):
        return f" from {lower.ge} to {upper.le}"
    parts = [f" of at least {lower.ge}" if isinstance(lower, Ge) else f" above {lower.gt}"] if lower else []
    parts += [f" at most {upper.le}" if isinstance(upper, Le) else f" below {upper.lt}"] if upper else []
    return " and".join(parts)
