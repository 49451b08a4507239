"""The recipe of a run: typed, closed, read from YAML, checked key by key.

schema.py    what a recipe may say: every key, its range, its published value
source.py    YAML text -> plain values, with the place each one came from
load.py      a name or a file, and `--set`s -> a `Recipe`, or one line that says what is wrong and where
"""

from __future__ import annotations

from ifseg_cli.core.recipe.load import load_recipe, prediction_settings, recipe_names
from ifseg_cli.core.recipe.schema import (
    Optimiser,
    PredictionSettings,
    Recipe,
    Regularisation,
    Saving,
    Synthesis,
)

__all__ = [
    "Optimiser",
    "PredictionSettings",
    "Recipe",
    "Regularisation",
    "Saving",
    "Synthesis",
    "load_recipe",
    "prediction_settings",
    "recipe_names",
]
