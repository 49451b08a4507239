"""Category lists as other tools write them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command import ifseg

from ifseg_cli.core.errors import CategoryError
from ifseg_cli.core.vocabulary.files import read_categories

ROAD, CAT = (128, 64, 128), (1, 2, 3)
COCO = [{"id": 0, "name": "background"}, {"id": 7, "name": "road"}, {"id": 26, "name": "cat"}]
OURS = [{"value": 0, "name": "background", "colour": "#000000"}, {"value": 7, "name": "road", "colour": "#804080"}]
OURS += [{"value": 26, "name": "cat", "colour": "#010203"}]
LISTS = {
    "CVAT": ("labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\nroad:128,64,128::\ncat:::\n"),
    "labelme": ("labels.txt", "__ignore__\n_background_\nroad\ncat\n"),
    "SegNet": ("label_colors.txt", "0 0 0\tbackground\n128 64 128\troad\n1 2 3\tcat\n"),
    "CSV": ("classes.csv", "id,name\n0,background\n7,road\n26,cat\n"),
    "CSV with colours": ("class_dict.csv", "name,r,g,b\nbackground,0,0,0\nroad,128,64,128\ncat,1,2,3\n"),
    "JSON list": ("names.json", '["background", "road", "cat"]'),
    "JSON by id": ("id2label.json", '{"0": "background", "1": "road", "2": "cat"}'),
    "JSON with gaps": ("id2label.json", '{"0": "background", "7": "road", "26": "cat"}'),
    "COCO": ("coco.json", json.dumps({"images": [], "categories": COCO})),
    "classes.json": ("classes.json", json.dumps({"ignore": 255, "classes": OURS})),
    "ultralytics": ("data.yaml", "path: x\nnc: 3\nnames: ['background', 'road', 'cat']\n"),
    "ultralytics by id": ("data.yaml", "train: images\nnames:\n  0: background\n  1: road\n  2: cat\n"),
}


@pytest.mark.parametrize("kind", LISTS)
def test_lists_of_other_tools_are_read(kind: str, tmp_path: Path) -> None:
    name, text = LISTS[kind]
    (tmp_path / name).write_text(text)
    found = read_categories(str(tmp_path / name))
    assert [category.name for category in found] == ["background", "road", "cat"]
    ids = {"CSV", "JSON with gaps", "COCO", "classes.json"}
    assert [category.raw_id for category in found] == ([0, 7, 26] if kind in ids else [None] * 3)
    all_three = [(0, 0, 0), ROAD, CAT]
    coloured = dict.fromkeys(("SegNet", "CSV with colours", "classes.json"), all_three)
    coloured["CVAT"] = [(0, 0, 0), ROAD, None]
    assert [category.colour for category in found] == coloured.get(kind, [None] * 3)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "id,name\n1\n", "line 2 has 1 fields; expected 2"),
        ("a.csv", "id,name\n70000,cat\n", "id '70000' of 'cat'"),
        ("a.json", '{"info": 1}', "holds no list of names"),
        ("a.json", '[{"id": 1}]', "an entry without a name"),
        ("a.json", "[[]]", "has an entry"),
        ("a.json", "[" * 100_000, "begins like JSON"),
        ("a.yaml", "names: [a, a\n", "cannot be read as YAML"),
        ("a.yaml", "x: &a [1]\nnames: *a\n", "alias"),
        ("a.txt", "300 0 0\tcat\n", "colour 300 0 0"),
        ("a.json", "[]", "names no category"),
    ],
)
def test_what_is_wrong_with_them_is_one_line(name: str, text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(CategoryError) as caught:
        read_categories(str(tmp_path / name))
    assert says in caught.value.message and "\n" not in caught.value.message


def test_numbers_in_front_of_names_stay_raw_ids(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("7 road\n26 cat\n")
    assert [category.raw_id for category in read_categories(str(tmp_path / "c.txt"))] == [7, 26]


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_a_file(name: str, tiny_base: Path) -> None:
    done = ifseg("vocab", name, "--base", tiny_base, stdin="sky\ngrass\n")
    assert done.returncode == 0, done.stderr
    assert "grass" in done.stdout


def test_process_substitution_is_a_file(tiny_base: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} -m ifseg_cli vocab <(printf 'sky\\ngrass\\n') --base {tiny_base}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert "grass" in done.stdout


def test_a_device_without_end_is_refused() -> None:
    with pytest.raises(CategoryError, match="more than 4 MB"):
        read_categories("/dev/zero")
