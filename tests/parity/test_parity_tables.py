"""Index tables of relative positions equal the published ones, entry by entry."""

from __future__ import annotations

import hashlib
import json

import published
import torch
from published import numbers
from torch import Tensor

from ifseg_cli.core.bases.ofa.positions import cell_buckets, cell_ids, token_buckets

TABLES = json.loads((published.HERE / "tables.json").read_text())["tables"]


def digest(table: Tensor) -> str:
    return hashlib.sha256(table.contiguous().numpy().astype("<i8").tobytes()).hexdigest()


def with_extra(table: Tensor, rows: int) -> Tensor:
    """The published tables carry one more row and column, for what is not a cell."""
    whole = torch.zeros(len(table) + 1, len(table) + 1, dtype=torch.long)
    whole[1:, 1:] = table
    whole[0, :], whole[:, 0], whole[0, 0] = rows - 3, rows - 2, rows - 1
    return whole


def test_token_buckets() -> None:
    table = token_buckets(1024)
    assert torch.equal(table, numbers()["tables.token_rp_bucket"].long())
    assert digest(table) == TABLES["encoder.token_rp_bucket"]["sha256_of_int64_little_endian_bytes"]


def test_token_buckets_of_a_short_prompt_are_the_corner() -> None:
    assert torch.equal(token_buckets(215), token_buckets(1024)[:215, :215])


def test_cell_buckets() -> None:
    table = with_extra(cell_buckets((42, 42), 42), 83 * 83 + 3)
    rows = numbers()["tables.image_rp_bucket_rows"].long()
    assert torch.equal(table[rows], numbers()["tables.image_rp_bucket"].long())
    assert digest(table) == TABLES["encoder.image_rp_bucket"]["sha256_of_int64_little_endian_bytes"]


def test_segmentation_buckets() -> None:
    table = with_extra(cell_buckets((32, 32), 32), 63 * 63 + 3)
    rows = numbers()["tables.seg_rp_bucket_rows"].long()
    assert torch.equal(table[rows], numbers()["tables.seg_rp_bucket"].long())
    assert digest(table) == TABLES["decoder.seg_rp_bucket"]["sha256_of_int64_little_endian_bytes"]


def test_position_ids() -> None:
    io = numbers()
    for height, width in ((32, 32), (20, 13)):
        theirs = io[f"tables.encoder_image_position_ids_{height}x{width}"].long()
        assert torch.equal(cell_ids((height, width), 42).view(height, width), theirs)
    assert torch.equal(cell_ids((32, 32), 32).view(32, 32), io["tables.decoder_seg_position_ids"].long())
