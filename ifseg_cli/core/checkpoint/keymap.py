"""Names in published files, as data: what is renamed, what is dropped on purpose, what is created fresh on purpose.

Everything else keeps its name: parameter names of `core/model` are the published ones.
"""

from __future__ import annotations

import re

# Published name (fairseq) -> ours. The first pattern that matches wins.
RENAMED: tuple[tuple[str, str], ...] = (
    (r"^encoder\.embed_images\.(.*)$", r"backbone.\1"),
    (r"^encoder\.image_proj\.(.*)$", r"image_proj.\1"),
    (r"^encoder\.embed_tokens\.weight$", r"embed_tokens.weight"),
)

# Held by files, needed by nobody: why.
DROPPED: tuple[tuple[str, str], ...] = (
    (r"^(encoder|decoder)\.version$", "a format number"),
    (r"^(encoder|decoder)\.(token|image|seg)_rp_bucket$", "index tables: pure functions of the sizes"),
    (r"^decoder\.image_position_idx$", "an index table"),
    (r"^decoder\.(seg|bin)_id_offset$", "where the dictionary's special ids begin"),
    (r"^decoder\.region_prefix$", "a text of another task"),
    (r"^encoder\.embed_tokens_bag\.weight$", "the token embedding once more"),
    (r"^decoder\.embed_tokens\.weight$", "the token embedding once more"),
    (r"^decoder\.output_projection\.weight$", "the token embedding once more"),
    (r"^(encoder|decoder)\.seg_embed_tokens\.weight$", "category rows: made from the token embedding"),
    (r"^decoder\.seg_projection\.weight$", "category rows: made from the token embedding"),
    (r"^.*\.num_batches_tracked$", "batch norm is frozen"),
)

# Not in a pre-trained OFA; start fresh: positions and tables N(0, 0.02), norm 1 and 0.
FRESH: tuple[str, ...] = (
    r"^decoder\.embed_seg_positions\.weight$",
    r"^decoder\.seg_pos_ln\.(weight|bias)$",
    r"^decoder\.seg_rel_pos_table_list\.\d+\.weight$",
)


def our_name(published: str) -> str | None:
    """Our name of a published entry, or None if it is dropped on purpose."""
    if any(re.match(pattern, published) for pattern, _ in DROPPED):
        return None
    for pattern, replacement in RENAMED:
        if re.match(pattern, published):
            return re.sub(pattern, replacement, published)
    return published


def is_fresh(ours: str) -> bool:
    """Whether a pre-trained OFA does not hold this entry."""
    return any(re.match(pattern, ours) for pattern in FRESH)
