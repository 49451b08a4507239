"""A pair of folders: who belongs to whom, what ids mean, and every way in which it does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ifseg_cli.core.datasets.dataset import DROPPED, UNKNOWN, Dataset, DatasetOptions
from ifseg_cli.core.datasets.preflight import check_dataset
from ifseg_cli.core.datasets.registry import open_dataset
from ifseg_cli.core.errors import CategoryError, DatasetError, ImageError


class Folder:
    """Images and labels in a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.images, self.labels, self.classes = root, root / "images", root / "labels", root / "cats.txt"
        self.images.mkdir()
        self.labels.mkdir()
        self.classes.write_text("cat\ndog\ngrass\n")

    def add(self, stem: str, ids: list[list[int]], image: bool = True, suffix: str = ".jpg") -> None:
        label = np.array(ids, np.uint8)
        path = self.labels / f"{stem}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(label).save(path)
        if image:
            self.add_image(stem, label.shape, suffix)

    def add_image(self, stem: str, shape: tuple[int, ...], suffix: str = ".jpg") -> None:
        path = self.images / f"{stem}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (shape[1], shape[0])).save(path)

    def open(self, ignore: tuple[int, ...] = (), images: bool = True) -> Dataset:
        pictures = self.images if images else None
        return open_dataset("folder", DatasetOptions(pictures, self.labels, str(self.classes), ignore))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def refused(folder: Folder, words: str, ignore: tuple[int, ...] = ()) -> None:
    with pytest.raises(DatasetError, match=words) as caught:
        check_dataset(folder.open(ignore))
    assert "\n" not in caught.value.message


def test_pairs_by_path_with_sub_folders(folder: Folder) -> None:
    folder.add("b", [[0]])
    folder.add("a/b", [[1, 2]], suffix=".JPEG")
    folder.add("c.v2", [[1]], suffix=".png")
    (folder.images / "README.md").write_text("no picture")
    (folder.images / ".hidden.jpg").write_bytes(b"")
    dataset = folder.open()
    assert [sample.stem for sample in dataset] == ["a/b", "b", "c.v2"]
    assert dataset.samples[0].image == folder.images / "a" / "b.JPEG"
    survey = check_dataset(dataset)
    assert survey.pixels[:3].tolist() == [1, 2, 1]
    assert (survey.images, survey.ignored(dataset)) == (3, 0)


def test_raw_ids_and_ignored_values(folder: Folder) -> None:
    folder.classes.write_text("7 road\n3 tree\n")
    table = folder_table(folder, ignore=(0,))
    assert table[[7, 3, 0, 255, 5]].tolist() == [0, 1, DROPPED, DROPPED, UNKNOWN]
    folder.classes.write_text("255 road\n300 tree\n")
    assert folder_table(folder)[[255, 300, 65535]].tolist() == [0, 1, DROPPED]


def folder_table(folder: Folder, ignore: tuple[int, ...] = ()) -> np.ndarray:
    folder.add("a", [[0]])
    return folder.open(ignore).index_table()


def test_labels_inside_the_images_folder_are_no_images(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.labels = folder.images / "labels"
    folder.add("a", [[0]])
    assert [sample.stem for sample in folder.open()] == ["a"]


def test_images_may_be_left_out(folder: Folder) -> None:
    folder.add("a", [[0]], image=False)
    dataset = folder.open(images=False)
    assert dataset.samples[0].image is None and dataset.images == ()


def test_a_label_without_image(folder: Folder) -> None:
    folder.add("a", [[0]])
    folder.add("sub/b", [[0]], image=False)
    refused(folder, r"1 of 2 labels in .* have no image in .*: sub/b\.png")


def test_an_image_without_label(folder: Folder) -> None:
    folder.add("a", [[0]])
    folder.add_image("b", (1, 1))
    refused(folder, r"1 of 2 images in .* have no label in .*: b\.jpg")


def test_two_images_of_one_stem(folder: Folder) -> None:
    folder.add("a", [[0]])
    folder.add_image("a", (1, 1), ".png")
    refused(folder, "differ only in their suffix")


def test_a_size_that_differs_is_refused_not_resized(folder: Folder) -> None:
    folder.add("a", [[0, 1], [0, 1]], image=False)
    folder.add_image("a", (2, 3))
    refused(folder, r"a\.png is 2 x 2, its image .*a\.jpg is 3 x 2; expected equal sizes")


def test_a_rotated_photograph_fits_its_upright_label(folder: Folder) -> None:
    folder.add("a", [[0, 1, 2]], image=False)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (1, 3)).save(folder.images / "a.jpg", exif=exif)
    check_dataset(folder.open())


def test_values_that_are_no_class_are_named_with_the_way_out(folder: Folder) -> None:
    folder.add("a", [[0, 1]])
    folder.add("b", [[0, 3, 3, 9]])
    refused(folder, r"no class: 3 \(2 pixels\), 9 \(1 pixels\), first in .*b\.png; expected ids 0\.\.2 of .*--ignore 3")
    check_dataset(folder.open(ignore=(3, 9)))


def test_nothing_but_ignored(folder: Folder) -> None:
    folder.add("a", [[255, 255]])
    refused(folder, "all pixels of all labels are ignored")


def test_ignoring_a_class(folder: Folder) -> None:
    folder.add("a", [[0, 1]])
    assert check_dataset(folder.open(ignore=(1,))).ignored(folder.open(ignore=(1,))) == 1
    refused(folder, "--ignore 70000", ignore=(70000,))


def test_a_colour_picture_instead_of_ids(folder: Folder) -> None:
    folder.add("a", [[0]])
    Image.new("RGB", (1, 1), (9, 8, 7)).save(folder.labels / "a.png")
    with pytest.raises(ImageError, match="holds colours"):
        check_dataset(folder.open())


def test_folders_and_options_that_are_not_there(folder: Folder) -> None:
    refused(folder, "labels holds no label")
    folder.add("a", [[0]], image=False)
    refused(folder, "images holds no picture")
    for options, words in [
        (DatasetOptions(folder.images, None, "x"), "--labels is missing"),
        (DatasetOptions(folder.images, folder.labels, None), "--classes is missing"),
        (DatasetOptions(folder.root / "no", folder.labels, str(folder.classes)), "--images .*no does not exist"),
        (DatasetOptions(folder.classes, folder.labels, str(folder.classes)), "is a file"),
        (DatasetOptions(folder.labels, folder.labels, str(folder.classes)), "are both"),
    ]:
        with pytest.raises(DatasetError, match=words):
            open_dataset("folder", options)
    with pytest.raises(CategoryError, match=r"no\.txt"):
        open_dataset("folder", DatasetOptions(folder.images, folder.labels, str(folder.root / "no.txt")))
    with pytest.raises(DatasetError, match="one of folder"):
        open_dataset("imagenet", DatasetOptions())


def test_two_classes_of_one_name(folder: Folder) -> None:
    folder.add("a", [[0]])
    folder.classes.write_text("cat\ndog\ncat\n")
    refused(folder, "names cat twice")
