"""Colours are distinct, the user's stay, and colour i does not depend on how many follow."""

from __future__ import annotations

import colorsys

from hypothesis import given, settings
from hypothesis import strategies as st

from ifseg_cli.core.vocabulary.colours import palette, resolve_colours
from ifseg_cli.core.vocabulary.lists import list_names, shipped_list

ALL = palette(1000)
colours = st.tuples(*[st.integers(0, 255)] * 3)


@settings(deadline=None)
@given(st.integers(0, 1000))
def test_the_palette_is_distinct_and_its_beginning_is_the_same_for_any_number(count: int) -> None:
    made = palette(count)
    assert made == ALL[:count]
    assert len(set(made)) == count


def test_colours_stand_out_from_black_and_from_white() -> None:
    for colour in ALL:
        _, lightness, _ = colorsys.rgb_to_hls(*(channel / 255 for channel in colour))
        assert 0.3 < lightness < 0.75


def test_the_first_twenty_are_far_apart() -> None:
    for at, one in enumerate(ALL[:20]):
        for other in ALL[:at]:
            assert max(abs(a - b) for a, b in zip(one, other, strict=True)) >= 16


@settings(deadline=None)
@given(st.lists(st.none() | colours, max_size=60))
def test_given_colours_stay_and_all_are_distinct(wanted: list[tuple[int, int, int] | None]) -> None:
    made = resolve_colours(wanted)
    assert len(set(made)) == len(wanted) == len(made)
    for at, colour in enumerate(wanted):
        if colour is not None and colour not in wanted[:at]:
            assert made[at] == colour


def test_a_colour_given_twice_is_replaced_for_the_second() -> None:
    first, second, third = resolve_colours([(1, 2, 3), (1, 2, 3), None])
    assert first == (1, 2, 3)
    assert len({first, second, third}) == 3


def test_shipped_palettes_become_distinct() -> None:
    repeated = 0
    for name in list_names():
        given_colours = [category.colour for category in shipped_list(name).categories]
        repeated += len([c for c in given_colours if c]) - len({c for c in given_colours if c})
        made = resolve_colours(given_colours)
        assert len(set(made)) == len(made)
    assert repeated > 0, "as data the repeated colours are kept"
