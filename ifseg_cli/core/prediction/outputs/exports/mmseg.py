"""mmsegmentation's folder layout: `BaseSegDataset(data_prefix=dict(img_path="img_dir", seg_map_path="ann_dir"), ...)`.

    ann_dir/NAME.png    the class's place in `classes`, 255 where there is none
    img_dir/NAME.*      the pictures: symbolic links, copies where links cannot be made
    metainfo.json       classes and palette, as `metainfo` takes them
    all.txt             the pictures' names, as `ann_file` takes them

A data set of mmsegmentation has one `img_suffix`; where pictures have several, it takes one data set a suffix.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from ifseg_cli.core.errors import OutputError
from ifseg_cli.core.files import atomic, write_json
from ifseg_cli.core.images.classes import MaskClass
from ifseg_cli.core.prediction.outputs.exports.form import Add, Mask, below, link

MOST, NOTHING = 255, 255  # classes that a byte holds beside the value for none


@contextmanager
def mmseg(folder: Path, classes: Sequence[MaskClass], out: Path) -> Generator[Add]:
    """The tree of one split.

    Raises:
        OutputError: more classes than mmsegmentation's byte holds.
    """
    del out
    if len(classes) > MOST:
        raise OutputError(f"--export mmseg of {len(classes)} categories", f"at most {MOST}: its label maps are bytes")
    table = np.full(1 << 16, NOTHING, dtype=np.uint8)
    table[[each.value for each in classes]] = np.arange(len(classes))
    palette = np.zeros((256, 3), dtype=np.uint8)
    palette[: len(classes)] = [each.colour for each in classes]
    names_and_colours = {
        "classes": [each.name for each in classes],
        "palette": [list(each.colour) for each in classes],
    }
    write_json(folder / "metainfo.json", names_and_colours)
    with atomic(folder / "all.txt", "w") as names:

        def add(mask: Mask) -> None:
            names.write(f"{mask.name}\n")
            image = Image.fromarray(table[mask.values])
            image.putpalette(palette.tobytes())
            with atomic(below(folder / "ann_dir", mask.name, ".png")) as file:
                image.save(file, format="PNG")
            picture = Path(mask.record.path)
            link(picture, below(folder / "img_dir", mask.name, picture.suffix))

        yield add
