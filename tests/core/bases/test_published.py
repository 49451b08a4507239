"""Every published layout gives the model it was made from; what does not fit is told in one line."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import published_files as files
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from ifseg_cli.core.bases.folder import load_base, load_folder, load_model_folder, save_folder
from ifseg_cli.core.bases.loaded import LoadedModel
from ifseg_cli.core.bases.ofa.keymap import is_fresh, our_name
from ifseg_cli.core.bases.places import LoadOptions
from ifseg_cli.core.errors import CategoryError, CheckpointError, IfsegError, TokenizerError
from ifseg_cli.core.vocabulary.files import categories_from_names

CPU = torch.device("cpu")


def base(path: Path, **options: Any) -> LoadedModel:
    return load_base(str(path), CPU, LoadOptions(**options))


def rewrite(path: Path, change: dict[str, Tensor | None] | None = None, **parts: Any) -> Path:
    """Replace entries (None: leave out) or whole parts of a fairseq file."""
    with torch.serialization.safe_globals([argparse.Namespace]):
        checkpoint = torch.load(path, weights_only=True)
    entries = checkpoint["model"] | (change or {})
    checkpoint["model"] = {name: each for name, each in entries.items() if each is not None}
    torch.save(checkpoint | parts, path)
    return path


def message(path: Path, error: type[IfsegError] = CheckpointError, **options: Any) -> str:
    with pytest.raises(error) as caught:
        base(path, **options)
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of each, made once."""
    top = tmp_path_factory.mktemp("published")
    files.pretrained_file(top / "fairseq")
    files.training_file(top / "training")
    files.port_folder(top / "port")
    return top


@pytest.fixture
def fresh(folder: Path, tmp_path: Path) -> Path:
    """The same, to break."""
    return Path(shutil.copytree(folder, tmp_path / "published"))


DOORS = ("fairseq/ofa.pt", "fairseq", "training/checkpoint_best.pt", "port", "port/pytorch_model.bin")


@pytest.mark.parametrize("door", DOORS)
def test_every_door_gives_the_same_weights(folder: Path, door: str) -> None:
    loaded = base(folder / door)
    ours, theirs = loaded.network.state_dict(), files.network().state_dict()
    kept = [name for name in theirs if not is_fresh(name) or "training" in door]
    assert len(kept) > 100
    assert all(torch.equal(ours[name], theirs[name]) for name in kept)
    assert loaded.network.config == files.CONFIG
    assert loaded.reader.tokenizer.size == 59457
    assert loaded.vocabulary is None
    assert loaded.recipe_name == "default"
    assert len(loaded.weights_sha256()) == 64


def test_the_kind_is_told_by_contents_not_by_name(fresh: Path) -> None:
    (fresh / "fairseq" / "ofa.pt").rename(fresh / "fairseq" / "weights.safetensors")
    assert "fairseq layout, pre-trained" in base(fresh / "fairseq" / "weights.safetensors").title
    port = torch.load(fresh / "port" / "pytorch_model.bin", weights_only=True)
    save_file({name: each.clone() for name, each in port.items()}, fresh / "port" / "pytorch_model.bin")
    assert "Hugging Face layout, pre-trained" in base(fresh / "port").title


def test_what_segmentation_needs_starts_fresh_and_the_same_each_time(folder: Path) -> None:
    first, second = (base(folder / "port").network.state_dict() for _ in range(2))
    fresh = [name for name in first if is_fresh(name)]
    assert len(fresh) == 4
    assert all(torch.equal(first[name], second[name]) for name in fresh)
    assert abs(first["decoder.embed_seg_positions.weight"].std().item() - 0.02) < 0.001
    assert torch.equal(first["decoder.seg_pos_ln.weight"], torch.ones(8))


def test_the_published_run_needs_no_other_option(folder: Path) -> None:
    config = base(folder / "port").network.config
    assert (config.grid, config.short_side, config.long_side) == (32, 512, 2048)


def test_a_training_checkpoint_predicts_as_it_is_and_survives_our_own_folder(folder: Path, tmp_path: Path) -> None:
    loaded = load_model_folder(folder / "training" / "checkpoint_best.pt", CPU)
    assert loaded.vocabulary is not None
    assert loaded.vocabulary.names == files.NAMES
    save_folder(tmp_path / "ours", loaded)
    again = load_model_folder(tmp_path / "ours", CPU)
    picture = torch.rand(1, 3, 64, 48)
    with torch.no_grad():
        assert torch.equal(again.network(picture), loaded.network(picture))


def test_a_base_in_a_training_checkpoint_leaves_its_categories(folder: Path) -> None:
    loaded = base(folder / "training" / "checkpoint_best.pt", categories=categories_from_names(["cat"]))
    assert loaded.vocabulary is None


# ---------------------------------------------------------------------------------------------- names and sizes


def test_entries_that_lead_nowhere_are_named_both_ways_with_shapes(fresh: Path) -> None:
    change: dict[str, Tensor | None] = {"decoder.stranger": torch.ones(2, 3), "encoder.pos_ln.bias": None}
    told = message(rewrite(fresh / "fairseq" / "ofa.pt", change))
    assert "1 missing: encoder.pos_ln.bias (8,)" in told
    assert "1 left over: decoder.stranger (2, 3)" in told


def test_half_of_the_segmentation_entries_is_not_filled_up(fresh: Path) -> None:
    path = rewrite(fresh / "training" / "checkpoint_best.pt", {"decoder.seg_pos_ln.weight": None})
    assert "1 missing: decoder.seg_pos_ln.weight (8,)" in message(path)


def test_gaps_between_layers_are_found(fresh: Path) -> None:
    entries = torch.load(fresh / "port" / "pytorch_model.bin", weights_only=True)
    moved = {name.replace("encoder.layers.0.", "encoder.layers.7."): each for name, each in entries.items()}
    torch.save(moved | {"encoder.layers.0.fc1.weight": torch.ones(16, 8)}, fresh / "port" / "pytorch_model.bin")
    assert "encoder.layers.0" in message(fresh / "port")


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("encoder_embed_dim", 16, "encoder_embed_dim 16, the tensors have 8"),
        ("encoder_attention_heads", 4, "encoder_attention_heads 4, the tensors have 2"),
        ("decoder_layers", 6, "decoder_layers 6, the tensors have 1"),
        ("resnet_type", "resnet101", "resnet_type resnet101 (blocks 3-4-23), the tensors have 1-1-1"),
        ("image_bucket_size", 32, "image_bucket_size 32, the tensors have 42"),
    ],
)
def test_settings_that_disagree_with_the_tensors(tmp_path: Path, setting: str, value: object, told: str) -> None:
    path = files.pretrained_file(tmp_path, **{setting: value})
    assert told in message(path)
    assert "--size-from-weights" in message(path)
    assert base(path, size_from_weights=True).network.config == files.CONFIG


def test_settings_of_the_port_that_disagree(tmp_path: Path) -> None:
    assert "d_model 256, the tensors have 8" in message(files.port_folder(tmp_path, d_model=256))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("decoder_input_type", "encoder_input"),
        ("full_context_alignment", "true"),
        ("entangle_position_embedding", True),
        ("resnet_type", "resnet18"),
        ("attn_scale_factor", "two"),
    ],
)
def test_variants_that_this_program_does_not_have(tmp_path: Path, setting: str, value: object) -> None:
    assert setting in message(files.training_file(tmp_path, **{setting: value}), size_from_weights=True)


def test_settings_that_no_tensor_tells_are_taken(tmp_path: Path) -> None:
    path = files.training_file(tmp_path, attn_scale_factor=4, imagenet_default_mean_and_std=True, prompt_prefix="what?")
    config = base(path).network.config
    assert (config.scale_factor, config.prompt, config.image_mean[0]) == (4.0, "what?", 0.485)


ODD_ROWS: dict[str, Callable[[Tensor], Tensor]] = {
    "sparse": Tensor.to_sparse,
    "compressed": Tensor.to_sparse_csr,
    "complex": lambda rows: rows.to(torch.complex64),
    "without values": lambda rows: rows.to("meta"),
    "quantized": lambda rows: torch.quantize_per_tensor(rows, 0.1, 0, torch.qint8),
    "eight bits": lambda rows: rows.to(torch.float8_e4m3fn),
    "no numbers": lambda rows: rows * float("nan"),
    "one value repeated": lambda rows: torch.ones(1).expand(rows.shape),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ODD_ROWS)
def test_rows_are_checked_as_all_tensors_are(tmp_path: Path, kind: str) -> None:
    path = files.training_file(tmp_path)
    with torch.serialization.safe_globals([argparse.Namespace]):
        checkpoint = torch.load(path, weights_only=True)
    checkpoint["model"]["decoder.seg_projection.weight"] = ODD_ROWS[kind](
        checkpoint["model"]["decoder.seg_projection.weight"]
    )
    torch.save(checkpoint, path)
    with pytest.raises(CheckpointError, match=r"decoder\.seg_projection\.weight") as caught:
        load_model_folder(path, CPU)
    assert len(caught.value.message) < 300


def test_a_prompt_that_is_said_goes_before_the_files_own(tmp_path: Path) -> None:
    path = files.training_file(tmp_path, prompt_prefix="what?")
    loaded = base(path, prompt="Which things are there?")
    assert loaded.network.config.prompt == loaded.reader.prompt == "Which things are there?"
    told = message(path, prompt="x" * 100_000)
    assert told.startswith("--prompt: prompt is ") and len(told) < 300


def test_shapes_that_cannot_be(fresh: Path) -> None:
    path = rewrite(fresh / "fairseq" / "ofa.pt", {"encoder.embed_image_positions.weight": torch.ones(100, 8)})
    assert "encoder.embed_image_positions.weight has 100 rows" in message(path)
    path = rewrite(path, {"encoder.embed_tokens.weight": torch.ones(8)})
    assert "embed_tokens.weight has the shape (8,)" in message(path)


def test_one_value_repeated_is_no_weight(fresh: Path) -> None:
    path = rewrite(fresh / "fairseq" / "ofa.pt", {"encoder.embed_tokens.weight": torch.ones(1).expand(59457, 8)})
    assert "embed_tokens.weight is no plain tensor" in message(path)


def test_the_chinese_ofa_is_told_by_name(fresh: Path) -> None:
    path = rewrite(fresh / "fairseq" / "ofa.pt", {"encoder.embed_tokens.weight": torch.ones(30325, 8)})
    assert "dictionary has 30325 entries" in message(path)


# ---------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers(fresh: Path, value: float) -> None:
    wrong = torch.ones(8)
    wrong[3] = value
    path = rewrite(fresh / "fairseq" / "ofa.pt", {"decoder.layer_norm.weight": wrong})
    assert "decoder.layer_norm.weight holds values that are no numbers" in message(path)


def test_tensors_of_the_wrong_kind(fresh: Path) -> None:
    path = rewrite(fresh / "fairseq" / "ofa.pt", {"decoder.layer_norm.weight": torch.ones(8, dtype=torch.int64)})
    assert "decoder.layer_norm.weight is of int64" in message(path)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_widened(fresh: Path, kind: torch.dtype) -> None:
    entries = files.bare(files.published(files.network()))
    path = rewrite(fresh / "fairseq" / "ofa.pt", {name: each.to(kind) for name, each in entries.items()})
    assert {each.dtype for each in base(path).network.state_dict().values()} == {torch.float32}


@pytest.mark.parametrize(("factor", "told"), [(0.0, "the same answer"), (1e20, "gives values up to")])
def test_garbage_is_found_before_work(fresh: Path, factor: float, told: str) -> None:
    entries = files.bare(files.published(files.network()))
    path = rewrite(fresh / "fairseq" / "ofa.pt", {name: each * factor for name, each in entries.items()})
    assert told in message(path)


# ---------------------------------------------------------------------------------------------- words


def test_a_missing_tokenizer_says_where_to_get_one(fresh: Path) -> None:
    (fresh / "fairseq" / "merges.txt").unlink()
    told = message(fresh / "fairseq" / "ofa.pt", TokenizerError)
    assert "--tokenizer" in told
    assert "utils/BPE" in told
    assert base(fresh / "fairseq" / "ofa.pt", tokenizer=files.TOKENIZER).reader.tokenizer.size == 59457


def test_a_tokenizer_of_another_model(fresh: Path) -> None:
    told = message(fresh / "fairseq" / "ofa.pt", TokenizerError, tokenizer=files.TOKENIZER / "whole_names.json")
    assert "59457 token rows" in told


def test_a_training_checkpoint_of_other_counts(folder: Path) -> None:
    path = folder / "training" / "checkpoint_best.pt"
    options = LoadOptions(categories=categories_from_names(["cat", "dog"]))
    with pytest.raises(CheckpointError, match=r"adapted to 3 categories, --categories name 2; expected 3 names"):
        load_model_folder(path, CPU, options)


def test_a_training_checkpoint_that_lost_its_list(fresh: Path) -> None:
    path = rewrite(fresh / "training" / "checkpoint_best.pt", cfg=None)
    with pytest.raises(CheckpointError, match="does not say what its categories are"):
        load_model_folder(path, CPU)
    options = LoadOptions(categories=categories_from_names(list(files.NAMES)))
    assert load_model_folder(path, CPU, options).vocabulary is not None


def test_names_in_another_order_are_found_by_their_rows(folder: Path) -> None:
    options = LoadOptions(categories=categories_from_names(list(reversed(files.NAMES))))
    with pytest.raises(CheckpointError, match=r"category 0 was not 'sky' when it was trained \(2 of 3 differ\)"):
        load_model_folder(folder / "training" / "checkpoint_best.pt", CPU, options)


def test_our_own_models_keep_their_categories(tiny_base: Path) -> None:
    with pytest.raises(CheckpointError, match="has its own categories"):
        load_model_folder(tiny_base, CPU, LoadOptions(categories=categories_from_names(["cat"])))


def test_a_list_that_names_no_token_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CategoryError):
        load_model_folder(files.training_file(tmp_path, ("sky", "sky")), CPU)


def test_a_vocabulary_beyond_the_rows_is_refused(folder: Path, tmp_path: Path) -> None:
    save_folder(tmp_path, load_model_folder(folder / "training" / "checkpoint_best.pt", CPU))
    values = json.loads((tmp_path / "vocabulary.json").read_text())
    values["prompt_ids"][1] = 60000
    (tmp_path / "vocabulary.json").write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match="uses token 60000"):
        load_folder(tmp_path, CPU)


# ---------------------------------------------------------------------------------------------- places


@pytest.mark.parametrize("name", ["nowhere", "a/b/c", "models/ofa.pt"])
def test_a_base_that_is_nowhere(name: str) -> None:
    assert f"there is no {name}" in message(Path(name))


def test_a_folder_with_several_files(fresh: Path) -> None:
    shutil.copy(fresh / "fairseq" / "ofa.pt", fresh / "fairseq" / "other.pt")
    assert "has 2 weights files" in message(fresh / "fairseq")


def test_weights_in_pieces(fresh: Path) -> None:
    (fresh / "port" / "pytorch_model.bin").rename(fresh / "port" / "pytorch_model.bin.index.json")
    assert "in several pieces" in message(fresh / "port")


def test_dropped_names_are_dropped_and_no_others() -> None:
    for name in ("encoder.version", "decoder.image_rp_bucket", "encoder.embed_images.layer1.0.bn1.num_batches_tracked"):
        assert our_name(name) is None
    assert our_name("encoder.versions") == "encoder.versions"
    assert our_name("decoder.layers.0.num_batches_tracked") == "decoder.layers.0.num_batches_tracked"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("no_scale_embedding", False),
        ("activation_fn", "relu"),
        ("encoder_normalize_before", False),
        ("decoder_normalize_before", False),
        ("scale_attn", False),
        ("scale_fc", False),
        ("scale_heads", False),
        ("scale_resids", True),
        ("share_all_embeddings", False),
    ],
)
def test_settings_that_change_the_arithmetic_are_refused(tmp_path: Path, name: str, value: object) -> None:
    """No tensor shows them, so nothing else would: hours of work on another model than was meant."""
    path = files.pretrained_file(tmp_path, **{name: value})
    with pytest.raises(CheckpointError, match=f"{name} is {value}; expected {name} "):
        load_base(str(path), CPU)


@pytest.mark.parametrize(
    ("name", "value"), [("scale_embedding", True), ("activation_function", "relu"), ("normformer", False)]
)
def test_so_are_those_of_the_port(tmp_path: Path, name: str, value: object) -> None:
    folder = files.port_folder(tmp_path, **{name: value})
    with pytest.raises(CheckpointError, match=f"{name} is {value}"):
        load_base(str(folder), CPU)
