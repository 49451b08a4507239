"""Ids come back as they were written, whatever kind of picture holds them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from ifseg_cli.core.errors import ImageError
from ifseg_cli.core.images.labels import read_label_map, upright_size

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9))


@settings(max_examples=30)
@given(ids=SHAPES.flatmap(lambda shape: arrays(np.uint8, shape)), mode=st.sampled_from(["L", "P"]))
def test_bytes_come_back(ids: np.ndarray, mode: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("ids") / "a.png"
    image = Image.fromarray(ids)
    if mode == "P":  # colours far from the ids, some of them equal
        image.putpalette([(7 * i) % 256 for i in range(768)])
    image.save(path)
    assert np.array_equal(read_label_map(path), ids)


@settings(max_examples=30)
@given(ids=SHAPES.flatmap(lambda shape: arrays(np.uint16, shape)))
def test_16_bits_come_back(ids: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("ids") / "a.png"
    Image.fromarray(ids).save(path)
    found = read_label_map(path)
    assert found.dtype == np.uint16
    assert np.array_equal(found, ids)


def test_one_bit_is_zero_and_one(tmp_path: Path) -> None:
    ids = np.array([[0, 1, 1], [1, 0, 0]], np.uint8)
    Image.fromarray(ids.astype(bool)).save(tmp_path / "a.png")
    assert np.array_equal(read_label_map(tmp_path / "a.png"), ids)


@pytest.mark.parametrize("bits", [2, 4])
@pytest.mark.parametrize("kind", [0, 3], ids=["grey", "palette"])
def test_few_bits_are_not_spread(bits: int, kind: int, tmp_path: Path) -> None:
    """Pillow shows a 4-bit grey 3 as 51: ids 0..3 must stay 0..3."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    row = bytes([0b00011011]) if bits == 2 else bytes([0x01, 0x23])
    palette = chunk(b"PLTE", bytes(range(12)) if bits == 2 else bytes(range(48))) if kind == 3 else b""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 1, bits, kind, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + palette + chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(data)
    assert read_label_map(tmp_path / "a.png").tolist() == [[0, 1, 2, 3]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_obeyed(orientation: int, tmp_path: Path) -> None:
    ids = np.arange(6, dtype=np.uint8).reshape(2, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(ids).save(tmp_path / "a.png", exif=exif)
    upright = {
        1: ids,
        2: ids[:, ::-1],
        3: ids[::-1, ::-1],
        4: ids[::-1],
        5: ids.T,
        6: np.rot90(ids, -1),
        7: np.rot90(ids, 2).T,
        8: np.rot90(ids),
    }[orientation]
    assert np.array_equal(read_label_map(tmp_path / "a.png"), upright)
    assert upright_size(tmp_path / "a.png") == upright.shape


def save_rgb(path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (4, 4, 3), np.uint8)).save(path)


def save_grey_in_colour(path: Path) -> None:
    Image.new("RGB", (4, 4), (3, 3, 3)).save(path)


def save_jpeg(path: Path) -> None:
    Image.new("L", (4, 4), 3).save(path, format="JPEG")


def save_cut_off(path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:500])


@pytest.mark.parametrize(
    ("save", "words"),
    [
        (save_rgb, "holds colours .RGB.*one id per pixel.*convert the colours"),
        (save_grey_in_colour, "three channels are equal"),
        (save_jpeg, "JPEG, which changes ids"),
        (save_cut_off, "damaged or cut off"),
        (lambda path: path.write_bytes(b"no picture"), "no picture that can be read"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: None, "cannot read .*No such file"),
    ],
)
def test_what_is_no_label_is_one_line(save: object, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    save(path)  # type: ignore[operator]
    with pytest.raises(ImageError, match=words) as caught:
        read_label_map(path)
    assert "\n" not in caught.value.message
    assert str(path) in caught.value.message
