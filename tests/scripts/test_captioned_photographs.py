"""Captioned photographs: read from folder or tar, their words, and what the backbone sees in them, resumed."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from builtin import photographs, seen
from builtin.photographs import Source
from PIL import Image

from ifseg_cli.core.bases.builtin.network import BuiltinNetwork
from ifseg_cli.core.bases.folder import load_base
from ifseg_cli.core.vocabulary.known import KnownWords

CAPTIONS = {
    "b.jpg": ["A dog runs in the grass .", "Two dogs on grass", "a white dog"],
    "a.jpg": ["A man rides a surfboard", "a wave"],
    "lost.jpg": ["nobody has this photograph"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.jpg", "plain.jpg"):
        small = np.random.default_rng(ord(name[0])).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(small).resize((80, 64)).save(tmp_path / name)
    lines = [json.dumps({"photo": name, "captions": told}) for name, told in CAPTIONS.items()]
    (tmp_path / "captions.jsonl").write_text("\n".join(lines))
    return tmp_path


@pytest.fixture(scope="module")
def base() -> tuple[BuiltinNetwork, KnownWords]:
    loaded = load_base("builtin", torch.device("cpu"))
    assert isinstance(loaded.network, BuiltinNetwork) and loaded.reader.known is not None
    return loaded.network, loaded.reader.known


def test_a_tar_reads_as_its_folder(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("tar") / "photos.tar"
    with tarfile.open(path, "w") as tar:
        for file in sorted(folder.iterdir()):
            member = tarfile.TarInfo(f"photos/{file.name}")
            member.size = file.stat().st_size
            tar.addfile(member, io.BytesIO(file.read_bytes()))
    by_folder, by_tar = (list(photographs.read(Source(place))) for place in (folder, path))
    assert [photo.name for photo in by_tar] == ["a.jpg", "b.jpg"] == [photo.name for photo in by_folder]
    for one, other in zip(by_folder, by_tar, strict=True):
        assert np.array_equal(one.pixels, other.pixels) and one.captions == other.captions
    assert [photo.name for photo in photographs.read(Source(folder), skip=1)] == ["b.jpg"]


def test_captions_become_words_with_counts(base: tuple[BuiltinNetwork, KnownWords]) -> None:
    """`runs`, `rides` and `white` are no things here; a plural is its singular; each caption counts once."""
    stop = frozenset(photographs.listed("stop"))
    found = photographs.words(("A dog runs in the grass, a dog !", "Two dogs on grass", "a white dog"), base[1], stop)
    assert found == {"dog": 3, "grass": 2}
    many = photographs.words(("A zebra, a dog, a car, a boat and a man",), base[1], stop)
    assert list(many) == sorted(many) and len(many) == 5
    assert "man" in photographs.words(("A man rides a wave",), base[1], stop)
    assert not photographs.words(("He runs and jumps after one of the others",), base[1], stop)


def test_lists_say_why_and_name_words_with_rows(base: tuple[BuiltinNetwork, KnownWords]) -> None:
    """A line without a comment is not understood by the next reader; a synonym would never be found in captions."""
    for path in sorted(photographs.LISTS.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert "#" in line, (path.name, line)
    assert {"white", "rides", "head", "two"} <= set(photographs.listed("stop"))
    for name in ("scenery", "people", "clothes", "body"):
        words = photographs.listed(name)
        assert len(words) == len(set(words)) > 5
        for word in words:
            assert base[1].words[word].canonical == word, (name, word)


def test_sources_as_the_command_line_names_them(folder: Path) -> None:
    first, second = photographs.sources([f"{folder}@320x352", str(folder)], [folder / "captions.jsonl"])
    assert (first.size, first.captions) == ((320, 352), None)
    assert (second.size, second.captions) == (None, folder / "captions.jsonl")
    with pytest.raises(SystemExit, match="there is no"):
        photographs.sources(["nowhere"], [])


def test_what_is_seen_is_kept_and_a_cut_off_run_goes_on(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, base: tuple[BuiltinNetwork, KnownWords], monkeypatch
) -> None:
    network, known = base
    work, source = tmp_path_factory.mktemp("work"), Source(folder, size=(96, 112))
    monkeypatch.setattr(seen, "SHARD", 1)
    monkeypatch.setattr(seen, "COORDINATES", 8)
    seen.keep(work, network, known, [source])
    whole = list(seen.load(work, source))
    assert [(each.name, each.grid) for each in whole] == [("a.jpg", (6, 7)), ("b.jpg", (6, 7))]
    assert whole[1].words == {"dog": 3, "grass": 2}
    shapes = [tuple(part.shape) for part in (whole[0].cells, whole[0].head, whole[0].neighbours)]
    assert shapes == [(42, network.config.dim), (42, 8), (42, 3)]
    with torch.inference_mode():
        pixels = next(iter(photographs.read(source))).pixels
        direct = network.see(torch.from_numpy(photographs_input(pixels)))
    assert torch.allclose(direct.cells[0], whole[0].cells.float(), atol=2e-2)
    kept = work / "seen" / source.key
    (kept / "0001.safetensors").unlink()
    before = (kept / "0000.safetensors").stat().st_mtime_ns
    seen.keep(work, network, known, [source])
    again = list(seen.load(work, source))
    assert (kept / "0000.safetensors").stat().st_mtime_ns == before
    assert torch.equal(again[1].cells, whole[1].cells) and torch.equal(again[1].head, whole[1].head)


def photographs_input(pixels: np.ndarray) -> np.ndarray:
    from ifseg_cli.core.images.resize import resize

    return (resize(pixels, (96, 112)).transpose(2, 0, 1)[None] / 255 - 0.5).astype(np.float32) / 0.5
