"""One function opens pictures; every mode, orientation and kind of damage goes through it."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ifseg_cli.core.errors import ImageError
from ifseg_cli.core.images.decode import decode, read_photograph

COLOURS = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[10, 20, 30], [200, 100, 50], [255, 255, 255]]], np.uint8)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format=kind, **options)
    return file.getvalue()


def test_rgb_is_read_as_it_is():
    assert np.array_equal(decode(saved(Image.fromarray(COLOURS))), COLOURS)


def test_a_path_and_its_bytes_give_the_same(tmp_path: Path):
    path = tmp_path / "with space\nand line ü.png"
    path.write_bytes(saved(Image.fromarray(COLOURS)))
    assert np.array_equal(decode(path), decode(path.read_bytes()))


# What an upright picture looks like on disk, per EXIF value: the camera's writing, undone by `decode`.
ON_DISK = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: np.rot90,
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", ON_DISK)
def test_every_orientation_comes_out_upright(orientation: int, kind: str):
    blocks = COLOURS.repeat(16, 0).repeat(16, 1)  # blocks, so that lossy formats keep them
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(ON_DISK[orientation](blocks)))
    lossless = {"WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}
    pixels = decode(saved(image, kind, exif=exif, **lossless.get(kind, {})))
    assert pixels.shape == (32, 48, 3)
    assert np.abs(pixels[8::16, 8::16].astype(int) - COLOURS).max() <= 4


def test_a_broken_exif_block_is_no_reason_to_refuse():
    pixels = decode(saved(Image.fromarray(COLOURS), "PNG", exif=b"Exif\0\0garbage that is no TIFF header"))
    assert np.array_equal(pixels, COLOURS)


def test_grey_becomes_equal_channels():
    grey = np.array([[0, 100], [200, 255]], np.uint8)
    assert np.array_equal(decode(saved(Image.fromarray(grey))), np.stack([grey] * 3, axis=-1))


def test_bilevel_is_black_and_white():
    assert decode(saved(Image.new("1", (2, 1), 1))).tolist() == [[[255] * 3] * 2]


def test_palette_keeps_its_colours():
    image = Image.fromarray(np.array([[0, 1]], np.uint8))
    image.putpalette([9, 8, 7, 250, 240, 230])
    assert decode(saved(image)).tolist() == [[[9, 8, 7], [250, 240, 230]]]


def test_transparent_palette_entries_lie_on_white():
    image = Image.fromarray(np.array([[0, 1]], np.uint8))
    image.putpalette([9, 8, 7, 250, 240, 230])
    assert decode(saved(image, transparency=0)).tolist() == [[[255] * 3, [250, 240, 230]]]
    assert decode(saved(image, transparency=b"\x00\xff")).tolist() == [[[255] * 3, [250, 240, 230]]]


def test_alpha_is_laid_on_white():
    rgba = Image.fromarray(np.array([[[0, 0, 0, 0], [0, 0, 0, 128], [5, 6, 7, 255]]], np.uint8))
    assert decode(saved(rgba)).tolist() == [[[255] * 3, [127] * 3, [5, 6, 7]]]
    grey = Image.merge("LA", [Image.new("L", (1, 1), 40), Image.new("L", (1, 1), 0)])
    assert decode(saved(grey)).tolist() == [[[255] * 3]]


def test_transparent_grey_lies_on_white():
    assert decode(saved(Image.new("L", (1, 1), 40), transparency=40)).tolist() == [[[255] * 3]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_are_scaled_and_not_clipped(kind: str):
    deep = np.array([[0, 257, 32896, 65535]], np.uint16)
    assert decode(saved(Image.fromarray(deep), kind))[..., 0].tolist() == [[0, 1, 128, 255]]


def test_dark_16_bits_stay_dark():
    assert decode(saved(Image.fromarray(np.full((1, 1), 200, np.uint16)))).max() == 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.0, 0.5, 1.0], [0, 128, 255]), ([0.0, 100.0, 255.0], [0, 100, 255]), ([-1.0, 0.0, 1.0], [0, 128, 255])],
)
def test_floats_are_scaled_by_the_range_that_holds_them(values: list[float], expected: list[int]):
    assert decode(saved(Image.fromarray(np.array([values], np.float32)), "TIFF"))[0, :, 0].tolist() == expected


def test_not_a_number_is_black():
    values = np.array([[np.nan, 1.0]], np.float32)
    assert decode(saved(Image.fromarray(values), "TIFF"))[0, :, 0].tolist() == [0, 255]


@pytest.mark.parametrize(("values", "expected"), [([0, 7, 255], [0, 7, 255]), ([0, 25700, 65535], [0, 100, 255])])
def test_32_bit_integers_are_scaled(values: list[int], expected: list[int]):
    assert decode(saved(Image.fromarray(np.array([values], np.int32)), "TIFF"))[0, :, 0].tolist() == expected


def test_cmyk_is_read_as_colours():
    pixels = decode(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "TIFF"))
    assert pixels[0, 0].tolist() == [255, 0, 0]
    assert np.abs(decode(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"))[0, 0] - [255, 0, 0]).max() <= 3


def test_lab_is_read_as_colours():
    red = Image.merge("LAB", [Image.new("L", (2, 2), value) for value in (255, 128, 128)])
    assert decode(saved(red, "TIFF")).min() > 245


def test_the_first_frame_of_an_animation_counts():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(data)[0, 0].tolist() == [255, 0, 0]


def message(source: Path | bytes, **options: int) -> str:
    with pytest.raises(ImageError) as caught:
        decode(source, **options)
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP"])
def test_cut_off_files_are_refused(kind: str):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), kind)
    for share in (0.3, 0.5, 0.95):
        assert "damaged or cut off" in message(data[: int(len(data) * share)])


def test_what_is_no_picture_is_refused(tmp_path: Path):
    assert "is empty" in message(b"")
    assert "no picture" in message(b"hello")
    assert "no picture" in message(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(no program runs)\n"
    )
    assert "cannot read" in message(tmp_path / "missing.jpg")
    assert "no regular file" in message(tmp_path)


def test_too_many_pixels_are_refused_before_decoding():
    data = saved(Image.new("1", (20_000, 10_000)))
    assert "20000 x 10000 = 200,000,000 pixels; expected at most 179,000,000" in message(data)
    assert "expected at most 3" in message(saved(Image.fromarray(COLOURS)), max_pixels=3)


def test_pillows_own_limit_neither_warns_nor_is_changed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4)  # half of ours would warn, twice as much raise
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(saved(Image.fromarray(COLOURS), "TIFF")).shape == (2, 3, 3)
        assert Image.MAX_IMAGE_PIXELS == 4
        with pytest.raises(UserWarning):
            warnings.warn_explicit("a warning", UserWarning, "PIL/x.py", 1, module="PIL.x")


def test_odd_metadata_is_neither_an_error_nor_a_warning():
    data = bytearray(saved(Image.fromarray(COLOURS), "TIFF", description="x" * 40))
    at = data.index(b"x" * 40)
    cut = bytes(data[:at])  # an entry points beyond the end of the file
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with contextlib.suppress(ImageError):
            decode(cut)
    assert not caught


def test_one_pixel_and_a_thin_line():
    assert decode(saved(Image.new("RGB", (1, 1)))).shape == (1, 1, 3)
    assert decode(saved(Image.new("RGB", (5000, 1)))).shape == (1, 5000, 3)


def test_what_is_transparent_is_hidden_and_turns_with_the_picture():
    pixels = np.dstack([COLOURS, np.array([[0, 1, 255], [128, 0, 255]], np.uint8)])
    exif = Image.Exif()
    exif[0x0112] = 6
    found = read_photograph(saved(Image.fromarray(np.ascontiguousarray(np.rot90(pixels))), exif=exif))
    assert found.hidden is not None
    assert found.hidden.tolist() == [[True, False, False], [False, True, False]]
    assert (found.pixels[found.hidden] == 255).all(), "laid on white"
    palette = Image.fromarray(COLOURS).quantize(4)
    palette.info["transparency"] = palette.getpixel((0, 0))
    seen = read_photograph(saved(palette, transparency=palette.getpixel((0, 0)))).hidden
    assert seen is not None and seen[0, 0]
    assert read_photograph(saved(Image.fromarray(COLOURS).convert("RGBA"))).hidden is None


@pytest.mark.parametrize(("low", "high", "stretched"), [(51241, 52181, True), (2800, 3200, True), (0, 65535, False)])
def test_a_narrow_part_of_16_bits_is_stretched(low: int, high: int, stretched: bool):
    values = np.linspace(low, high, 4000).reshape(50, 80).astype(np.uint16)
    for kind in ("PNG", "TIFF"):
        found = read_photograph(saved(Image.fromarray(values), kind))
        assert found.notes == (("stretched",) if stretched else ())
        assert found.pixels.max() - found.pixels.min() > 250
    values[0, 0] = 65535  # a dead pixel changes nothing
    assert np.ptp(read_photograph(saved(Image.fromarray(values))).pixels[5:]) > 200


def test_one_value_stays_one_grey():
    found = read_photograph(saved(Image.fromarray(np.full((5, 5), 3000, np.uint16))))
    assert found.notes == () and np.unique(found.pixels).tolist() == [round(3000 / 257)]


def test_frames_are_counted_and_the_first_is_read():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "green")]
    found = read_photograph(saved(frames[0], "TIFF", save_all=True, append_images=frames[1:]))
    assert found.frames == 2 and found.pixels[0, 0].tolist() == [255, 0, 0]


def test_what_is_cut_off_is_read_as_far_as_it_goes_when_asked():
    data = saved(Image.fromarray(COLOURS.repeat(100, 0).repeat(100, 1)), "JPEG", quality=95)
    cut = data[: len(data) * 2 // 3]
    with pytest.raises(ImageError, match="damaged or cut off"):
        read_photograph(cut)
    found = read_photograph(cut, accept_truncated=True)
    assert found.notes == ("cut off",)
    assert np.abs(found.pixels[:60, 50].astype(int) - COLOURS[0, 0]).max() < 6
    with pytest.raises(ImageError):
        read_photograph(cut)


def test_only_regular_files_are_opened(tmp_path: Path):
    os.mkfifo(tmp_path / "fifo.png")
    assert "no regular file" in message(tmp_path / "fifo.png")
    assert "no regular file" in message(Path("/dev/zero"))
