"""A name or a file, and `--set`s -> a `Recipe`, or one line that says what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ifseg_cli.core.errors import RecipeError
from ifseg_cli.core.recipe.expect import expectation, keys
from ifseg_cli.core.recipe.schema import PredictionSettings, Recipe
from ifseg_cli.core.recipe.source import Key, Source, read_value, read_yaml
from ifseg_cli.core.shipped import shipped

MAX_BYTES = 1 << 20  # a recipe is a page of text; a file beyond this is something else

Model = TypeVar("Model", bound=BaseModel)


def load_recipe(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Load a shipped recipe by name, or a YAML file, with single values replaced.

    Args:
        name_or_path: `default`, `quick`, ... (see `recipe_names`), or a file. A shipped name means the shipped
            one; `./quick` is a file. Keys that a file leaves out have the published values.
        overrides: `section.key=value` each, the value read as YAML; later ones win.

    Raises:
        RecipeError: no such recipe, not YAML, an unknown key, a value of the wrong kind or out of range. The message
            has the file and the line (or the `--set`), what was found, and what was expected.
    """
    source = read_yaml(_text(name_or_path), str(name_or_path))
    for override in overrides:
        _replace(source, override)
    return validated(Recipe, source)


def prediction_settings(
    own: PredictionSettings, overrides: Sequence[str] = (), options: Mapping[str, object] | None = None
) -> PredictionSettings:
    """A model's own settings of prediction, with single values replaced.

    Args:
        own: the `prediction` section of its recipe.
        overrides: `prediction.key=value` each.
        options: key -> value, each the short form of an override (`neighbours` for `--neighbours`); they win, and None
            is one that was not given.

    Raises:
        RecipeError: as `load_recipe`; or a key of another section, which prediction does not read.
    """
    source = Source({"prediction": own.model_dump()}, {(): "the model's recipe"})
    for override in overrides:
        dotted = override.partition("=")[0].strip()
        if dotted in keys(Recipe) and not dotted.startswith("prediction."):
            found = f"--set {dotted} does nothing to a finished model"
            raise RecipeError(found, ", ".join(key for key in keys(Recipe) if key.startswith("prediction.")))
        _replace(source, override)
    for key, value in (options or {}).items():
        if value is not None:
            source.values["prediction"][key] = value
            source.places["prediction", key] = f"--{key.replace('_', '-')}"
    return validated(Recipe, source).prediction


def recipe_names() -> tuple[str, ...]:
    """Names of the shipped recipes, in alphabetical order."""
    return tuple(sorted(path.stem for path in shipped("recipes").glob("*.yaml")))


def validated(model: type[Model], source: Source) -> Model:
    """Check the values of `source` against `model`.

    Raises:
        RecipeError: for the first problem in reading order; how many more there are is said too.
    """
    try:
        return model.model_validate(source.values)
    except ValidationError as error:
        order = {key: number for number, key in enumerate(source.places)}
        problems = sorted(error.errors(), key=lambda problem: order.get(problem["loc"], len(order)))
        raise _recipe_error(model, source, dict(problems[0]), more=len(problems) - 1) from error


def _text(name_or_path: str | Path) -> str:
    names = recipe_names()
    if str(name_or_path) in names:
        return (shipped("recipes") / f"{name_or_path}.yaml").read_text(encoding="utf-8")
    path = Path(name_or_path)
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "is not there"
        near = _nearest(path.name.removesuffix(".yaml"), names)
        raise RecipeError(f"recipe {name_or_path} {kind}", f"a YAML file, or one of: {', '.join(names)}", near)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise RecipeError(f"recipe {path} has {path.stat().st_size} bytes", "a page of YAML text")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(f"recipe {path} is not UTF-8 text", "YAML text", "save the file as UTF-8") from error
    except OSError as error:
        raise RecipeError(f"recipe {path} cannot be read: {error.strerror}") from error


def _replace(source: Source, override: str) -> None:
    """Put one `--set` in its place."""
    dotted, equals, text = override.partition("=")
    dotted = dotted.strip()
    place = f"--set {dotted}"
    known = keys(Recipe)
    if not equals:
        raise RecipeError(f"--set {override}", "KEY=VALUE, for instance optimiser.steps=100")
    if dotted not in known:
        inside = [key for key in known if key.startswith(f"{dotted}.")]
        if inside:
            raise RecipeError(f"{place} is a section", f"one of its keys: {', '.join(inside)}")
        raise RecipeError(f"{place} is no key of a recipe", "", _nearest(dotted, known))
    *sections, last = dotted.split(".")
    into: dict[str, Any] = source.values
    for depth, section in enumerate(sections, start=1):
        if not isinstance(into.get(section), dict):  # left out; or not a section, which a --set then mends
            into[section] = {}
            source.places[tuple(sections[:depth])] = place
        into = into[section]
    into[last] = read_value(text, place)
    key: Key = (*sections, last)
    source.places[key] = place
    for index in range(len(into[last]) if isinstance(into[last], tuple) else 0):
        source.places[(*key, index)] = place


def _recipe_error(model: type[BaseModel], source: Source, problem: dict[str, Any], more: int) -> RecipeError:
    """One line for one of pydantic's problems."""
    key: Key = problem["loc"]
    if problem["type"] == "missing":  # an item of a list that is too short
        key = key[:-1]
    dotted = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).removeprefix(".")
    place = source.place(key)
    others = f"({more} more {'problem' if more == 1 else 'problems'} after this one)" if more else ""
    if problem["type"] == "extra_forbidden":
        near = _nearest(dotted, keys(model)) or "see the shipped recipe default.yaml for all keys"
        return RecipeError(f"{place}: {dotted} is no key of a recipe", "", f"{near} {others}")
    is_whole = place == f"--set {dotted}" or (place.startswith("--") and not place.startswith("--set "))
    name = place if is_whole else f"{place}: {dotted}"
    found = f"{name} is {_shown(problem['input'])}"
    if problem["type"] == "value_error":  # a check of our own says what it expects
        return RecipeError(found, str(problem["ctx"]["error"]), others)
    return RecipeError(found, expectation(model, key), others)


def _shown(value: object) -> str:
    """A value as YAML would have it, cut to a readable length."""
    if isinstance(value, dict):
        return "a section"
    if value is None or isinstance(value, bool):
        return {None: "empty (null)", True: "true", False: "false"}[value]
    if isinstance(value, tuple):
        items: tuple[Any, ...] = value
        text = "[" + ", ".join(_shown(item) for item in items) + "]"
    else:
        text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _nearest(word: str, known: Sequence[str]) -> str:
    """`did you mean ...?` for the nearest of `known`, also by its last part alone; empty if nothing is near."""
    last = word.rpartition(".")[2]
    by_last = {key.rpartition(".")[2]: key for key in reversed(known)}
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    near = near or [by_last[part] for part in difflib.get_close_matches(last, list(by_last), n=1)]
    return f"did you mean {near[0]}?" if near else ""
