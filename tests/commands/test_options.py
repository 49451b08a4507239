"""Options that commands share."""

from __future__ import annotations

import pytest

from ifseg_cli.commands.options import words_given
from ifseg_cli.core.errors import CategoryError


def test_words_come_from_one_place() -> None:
    assert words_given("voc", None) == "voc"
    assert words_given(None, ["cat", "dog"]) == ["cat", "dog"]
    with pytest.raises(CategoryError, match="leave one out"):
        words_given("voc", ["cat"])
    with pytest.raises(CategoryError, match="no categories"):
        words_given(None, [])
