"""What a data set's label values mean, as one table."""

from dataclasses import replace

import pytest

from ifseg_cli.core.datasets.dataset import DROPPED, UNKNOWN, VALUES, Dataset

PLAIN = Dataset("two", ("road", "sky"), raw_ids=(7, 3), ignore=(255,), samples=(), classes_from="a file")


@pytest.mark.parametrize(
    ("dataset", "means"),
    [
        (PLAIN, {7: 0, 3: 1, 255: DROPPED, 0: UNKNOWN}),
        (replace(PLAIN, undeclared="ignored"), {7: 0, 3: 1, 255: DROPPED, 0: DROPPED}),
        # Several values stand for one class; the raw ids, which number the classes themselves, then stand for nothing.
        (replace(PLAIN, value_of=((10, 0), (11, 0), (3, 1))), {10: 0, 11: 0, 3: 1, 7: UNKNOWN, 255: DROPPED}),
        (replace(PLAIN, value_of=((10, 0),), undeclared="ignored"), {10: 0, 3: DROPPED, 7: DROPPED, 0: DROPPED}),
    ],
    ids=["plain", "others ignored", "several values", "several values, others ignored"],
)
def test_index_table(dataset: Dataset, means: dict[int, int]) -> None:
    table = dataset.index_table()
    assert table.shape == (VALUES,)
    assert {value: int(table[value]) for value in means} == means
    assert (table < len(dataset.classes)).sum() == sum(index < len(dataset.classes) for index in means.values())
