"""Which pictures are found, and that no two of them share a name."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from PIL import Image

from ifseg_cli.core.errors import ImageError, OutputError
from ifseg_cli.core.images.search import find_images
from ifseg_cli.core.images.sources import told


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (1, 1)).save(path, format="PNG")
    return root


def names(*inputs: Path | str, exclude: Path | None = None) -> list[str]:
    return [source.name.as_posix() for source in find_images(inputs, exclude).sources]


def outputs(*inputs: Path | str) -> list[str]:
    return [source.output.as_posix() for source in find_images(inputs).sources]


def test_a_folder_is_read_with_sub_folders_sorted(tmp_path: Path):
    make(tmp_path, "b.png", "a.JPG", "sub/deep/c.tiff")
    assert names(tmp_path) == ["a.JPG", "b.png", "sub/deep/c.tiff"]
    assert outputs(tmp_path) == ["a", "b", "sub/deep/c"]


def test_hidden_files_and_other_files_are_passed_over(tmp_path: Path):
    make(tmp_path, "a.png", ".b.png", ".hidden/c.png", "._a.jpg")
    (tmp_path / "README.md").write_text("no picture")
    (tmp_path / "film.mp4").write_text("no picture")
    assert names(tmp_path) == ["a.png"]


def test_a_file_named_by_the_user_is_read_whatever_it_is_called(tmp_path: Path):
    make(tmp_path, ".hidden.png", "noending")
    assert names(tmp_path / ".hidden.png", tmp_path / "noending") == [".hidden.png", "noending"]


def test_patterns_keep_folders_below_the_wildcard(tmp_path: Path):
    make(tmp_path, "in/x/a.png", "in/y/b.png", "in/y/c.jpg")
    assert names(f"{tmp_path}/in/**/*.png") == ["x/a.png", "y/b.png"]
    assert names(f"{tmp_path}/in/y*") == ["y/b.png", "y/c.jpg"]
    assert names(f"{tmp_path}/in/**") == ["x/a.png", "y/b.png", "y/c.jpg"]


def test_a_file_called_like_a_pattern_is_a_file(tmp_path: Path):
    make(tmp_path, "a[1].png", "a1.png")
    assert names(tmp_path / "a[1].png") == ["a[1].png"]


def test_relative_patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make(tmp_path, "a.png", "b.png")
    monkeypatch.chdir(tmp_path)
    assert names("*.png") == names(".") == ["a.png", "b.png"]


@pytest.mark.parametrize("given", ["missing", "missing/*.png", "empty", "missing.jpg"])
def test_an_input_that_matches_nothing_is_an_error_alone_and_a_fault_beside_others(tmp_path: Path, given: str):
    (tmp_path / "empty").mkdir()
    make(tmp_path, "there.png")
    with pytest.raises(ImageError, match="no picture found at"):
        find_images([tmp_path / given])
    found = find_images([tmp_path / "there.png", tmp_path / given])
    assert [fault.error for fault in found.faults] == [f"no picture found at {tmp_path / given}"]


def test_what_is_passed_over_is_counted(tmp_path: Path):
    make(
        tmp_path, "a.png", ".b.png", ".dir/c.png", "masks/x.png", "masks/overlays/x.jpg", "model/loss.png", "sub/d.png"
    )
    for name in ("1.CR2", "sub/2.cr2", "film.mp4", "LICENCE", "masks/classes.json", "masks/predictions.jsonl"):
        (tmp_path / name).write_text("no picture")
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "model" / name).write_text("no picture")
    found = find_images([tmp_path])
    assert [source.name.as_posix() for source in found.sources] == ["a.png", "sub/d.png"]
    assert found.passed_over == {"hidden": 2, "cr2": 2, "mp4": 1, "without suffix": 1, "folder that ifseg wrote": 2}
    assert told(found.passed_over) == "2 cr2, 1 mp4, 1 without suffix, 2 hidden, 2 folders that ifseg wrote"
    assert names(f"{tmp_path}/**/*.png") == ["a.png", "sub/d.png"]


def test_a_link_that_leads_nowhere_is_left_to_the_reader(tmp_path: Path):
    (tmp_path / "annexed.jpg").symlink_to("nowhere")
    assert names(tmp_path / "annexed.jpg") == ["annexed.jpg"]


def test_a_folder_that_cannot_be_read_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make(tmp_path, "a.png", "shut/b.png")
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("shut"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = find_images([tmp_path])
    assert [source.name.as_posix() for source in found.sources] == ["a.png"]
    assert found.faults[0].error == f"cannot look into {tmp_path / 'shut'}: Permission denied"


def test_the_output_folder_inside_the_input_is_not_read(tmp_path: Path):
    make(tmp_path, "a.png", "masks/a.png", "masks/sub/b.png")
    assert names(tmp_path, exclude=tmp_path / "masks") == ["a.png"]
    assert names(f"{tmp_path}/**/*.png", exclude=tmp_path / "masks") == ["a.png"]


def test_a_model_inside_the_input_is_not_read(tmp_path: Path):
    make(tmp_path, "a.png", "ifseg-model/loss.png")
    assert names(tmp_path) == ["a.png", "ifseg-model/loss.png"]
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "ifseg-model" / name).touch()
    assert names(tmp_path) == ["a.png"]


@pytest.mark.parametrize("given", [".", "photos", "photos/a.png"])
def test_an_input_inside_the_output_folder_is_an_error(tmp_path: Path, given: str):
    make(tmp_path, "photos/a.png")
    with pytest.raises(OutputError, match="lies in the output folder"):
        find_images([tmp_path / given], exclude=tmp_path)


def test_a_picture_named_twice_is_one(tmp_path: Path):
    make(tmp_path, "a.png")
    assert names(tmp_path, tmp_path / "a.png", tmp_path) == ["a.png"]


def test_two_suffixes_of_one_stem_keep_them(tmp_path: Path):
    make(tmp_path, "a.png", "a.jpg", "b.jpg")
    assert outputs(tmp_path) == ["a.jpg", "a.png", "b"]


def test_a_name_kept_with_suffix_may_not_meet_another(tmp_path: Path):
    make(tmp_path, "a.png", "a.jpg", "a.jpg.tif")
    assert len(set(outputs(tmp_path))) == 3


def test_one_name_in_two_folders_is_told_apart_by_parents(tmp_path: Path):
    make(tmp_path, "p/x/1.png", "q/x/1.png", "p/x/2.png")
    assert sorted(names(tmp_path / "p/x", tmp_path / "q/x")) == ["2.png", "p/x/1.png", "q/x/1.png"]


def test_links_to_folders_are_followed_without_loops(tmp_path: Path):
    make(tmp_path, "in/a.png", "elsewhere/b.png")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "other").symlink_to(tmp_path / "elsewhere")
    assert names(tmp_path / "in") == ["a.png", "other/b.png"]


def test_odd_names_are_names(tmp_path: Path):
    make(tmp_path, "with space.png", "ünï.png", "line\nbreak.png", "#50%.png")
    assert len(names(tmp_path)) == 4


def test_a_folder_is_listed_as_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The first picture is there before the second sub-folder has been looked into; names come in order."""
    make(tmp_path, "a/1.png", "b/2.png", "c/3.png", "b.png", "z.png")
    looked: list[str] = []
    real = os.scandir

    def scandir(path: str) -> object:
        looked.append(Path(path).name)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = iter(find_images([tmp_path]))
    assert next(found).name.as_posix() == "a/1.png" and looked == [tmp_path.name, "a"]
    assert [each.name.as_posix() for each in found] == ["b/2.png", "b.png", "c/3.png", "z.png"]


def test_a_list_is_made_anew_each_time_it_is_asked_for(tmp_path: Path):
    make(tmp_path, "a.png", "x.txt")
    found = find_images([tmp_path])
    assert (len(found.sources), found.count(), found.passed_over["txt"]) == (1, 1, 1)
    make(tmp_path, "b.png")
    assert (len(found.sources), found.count(), found.passed_over["txt"]) == (2, 2, 1)
    first = found.only(lambda each: each.name.as_posix() == "a.png")
    assert [each.path.name for each in first] == ["a.png"] and first.count() == 1


def test_a_link_into_the_output_folder_is_a_fault(tmp_path: Path):
    make(tmp_path, "in/a.png", "out/b.png")
    (tmp_path / "in" / "b.png").symlink_to(tmp_path / "out" / "b.png")
    found = find_images([tmp_path / "in"], exclude=tmp_path / "out")
    assert [each.path.name for each in found.sources] == ["a.png"]
    assert "leads into the output folder" in found.faults[0].error


def test_nothing_yet_is_no_error_where_pictures_may_come(tmp_path: Path):
    found = find_images([tmp_path], may_be_none=True)
    assert list(found) == []
    make(tmp_path, "a.png")
    assert found.count() == 1


def test_folders_deeper_than_calls_may_nest(tmp_path: Path):
    folders = [tmp_path.joinpath(*["d"] * depth) for depth in range(1, 1101)]
    for folder in folders:
        folder.mkdir()
    (folders[-1] / "a.png").touch()
    try:
        assert [each.path for each in find_images([tmp_path])] == [folders[-1] / "a.png"]
    finally:  # what deletes old folders of tests calls itself for each
        (folders[-1] / "a.png").unlink()
        for folder in reversed(folders):
            folder.rmdir()
