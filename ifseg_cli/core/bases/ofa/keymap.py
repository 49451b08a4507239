"""Names in published files, as data: what is renamed, what is dropped on purpose, what is created fresh on purpose.

Two namings are published: fairseq's, and that of OFA's Hugging Face port. Neither uses a name for what the other uses
it for something else, so one table reads both. Everything else keeps its name: parameter names of `core/model` are
fairseq's. A name that this page does not lead to an entry of the model is an error (`building.check_entries`).
"""

from __future__ import annotations

import re

# Published name -> ours. The first pattern that matches wins.
RENAMED: tuple[tuple[str, str], ...] = (
    # fairseq and the port
    (r"^encoder\.embed_images\.(.*)$", r"backbone.\1"),
    (r"^encoder\.image_proj\.(.*)$", r"image_proj.\1"),
    (r"^encoder\.embed_tokens\.weight$", r"embed_tokens.weight"),
    # the port alone
    (r"^(encoder\.layers\.\d+)\.self_attn_mid_layer_norm\.(.*)$", r"\1.attn_ln.\2"),
    (r"^(decoder\.layers\.\d+)\.self_attn_mid_layer_norm\.(.*)$", r"\1.self_attn_ln.\2"),
    (r"^(decoder\.layers\.\d+)\.cross_attn\.(.*)$", r"\1.encoder_attn.\2"),
    (r"^(decoder\.layers\.\d+)\.cross_attn_layer_norm\.(.*)$", r"\1.encoder_attn_layer_norm.\2"),
    (r"^(decoder\.layers\.\d+)\.cross_attn_mid_layer_norm\.(.*)$", r"\1.cross_attn_ln.\2"),
    (r"^((?:en|de)coder\.layers\.\d+)\.ffn_layer_norm\.(.*)$", r"\1.ffn_layernorm.\2"),
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
    (r"^decoder\.seg_projection\.weight$", "category rows: made from the token embedding, and compared with it"),
    (r"^encoder\.embed_images\..*num_batches_tracked$", "batch norm is frozen"),
)

# Not in a pre-trained OFA; start fresh: positions and tables N(0, 0.02), norm 1 and 0.
FRESH: tuple[str, ...] = (
    r"^decoder\.embed_seg_positions\.weight$",
    r"^decoder\.seg_pos_ln\.(weight|bias)$",
    r"^decoder\.seg_rel_pos_table_list\.\d+\.weight$",
)

EMBEDDING = "embed_tokens.weight"
# One tensor under several names: savers that write shared tensors once keep any one of them.
TIED = (
    "encoder.embed_tokens.weight",
    "decoder.embed_tokens.weight",
    "decoder.output_projection.weight",
    "encoder.embed_tokens_bag.weight",
)

SEGMENTATION = "decoder.embed_seg_positions.weight"  # a file that holds it is of IFSeg's training, not a bare OFA
ROWS = "decoder.seg_projection.weight"  # (M, d): the category rows of such a file

# Settings -> what they say of the sizes: our field, and the names fairseq and the port have for it.
SETTINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("dim", ("encoder_embed_dim", "decoder_embed_dim", "d_model")),
    ("ffn_dim", ("encoder_ffn_embed_dim", "decoder_ffn_embed_dim", "encoder_ffn_dim", "decoder_ffn_dim")),
    ("heads", ("encoder_attention_heads", "decoder_attention_heads")),
    ("encoder_layers", ("encoder_layers",)),
    ("decoder_layers", ("decoder_layers",)),
    ("tokens", ("vocab_size",)),
    ("token_bucket", ("token_bucket_size",)),
    ("image_bucket", ("image_bucket_size",)),
    ("max_text", ("max_source_positions", "max_position_embeddings")),
    ("blocks", ("resnet_type",)),
)

SETTINGS_OF_TRAINING: tuple[tuple[str, tuple[str, ...]], ...] = (("native_side", ("orig_patch_image_size",)),)

# `resnet_type` -> bottlenecks a stage; OFA leaves the last stage out.
RESNETS: dict[str, tuple[int, ...]] = {"resnet50": (3, 4, 6), "resnet101": (3, 4, 23), "resnet152": (3, 8, 36)}

# What a file must say, where it says anything: other values are other models. Compared as lower-case text.
REQUIRED: dict[str, str] = {
    "entangle_position_embedding": "false",
    "scale_resids": "false",
    # fairseq's names, then the port's, for what changes the arithmetic and no tensor shows
    "no_scale_embedding": "true",
    "scale_embedding": "false",
    "activation_fn": "gelu",
    "activation_function": "gelu",
    "model_type": "ofa",
    "encoder_normalize_before": "true",
    "decoder_normalize_before": "true",
    "scale_attn": "true",
    "scale_fc": "true",
    "scale_heads": "true",
    "normformer": "true",
    "share_all_embeddings": "true",
}
REQUIRED_OF_TRAINING: dict[str, str] = {
    "decoder_type": "surrogate",
    "decoder_input_type": "encoder_output",
    "full_context_alignment": "false",
    "tie_seg_projection": "true",
}


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
