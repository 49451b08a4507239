"""Results of different pictures have different names, and a folder's names can be settled by themselves."""

from __future__ import annotations

from pathlib import PurePath

from hypothesis import given
from hypothesis import strategies as st

from ifseg_cli.core.images.naming import keep_suffix, without_suffix

NAMES = st.lists(
    st.builds("{}{}".format, st.sampled_from(["a", "b", "a.b", "a.jpg"]), st.sampled_from([".jpg", ".png", ".tif"])),
    unique=True,
)


@given(st.dictionaries(st.sampled_from(["", "x", "x/y", "a"]), NAMES))
def test_folder_by_folder_gives_what_all_together_give(folders: dict[str, list[str]]) -> None:
    every = [PurePath(folder, name) for folder, names in folders.items() for name in names]
    together = without_suffix(every)
    assert len(set(together.values())) == len(every)
    for folder, names in folders.items():
        kept = keep_suffix(names)
        for name in names:
            assert together[PurePath(folder, name)] == PurePath(folder, name if name in kept else PurePath(name).stem)
