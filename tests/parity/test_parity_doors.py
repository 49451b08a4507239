"""Through every published door, and out of our own folder again, come the published numbers."""

from __future__ import annotations

from pathlib import Path

import published
import pytest
import torch
from published import IMAGES, fairseq_file, largest_difference, normalised, numbers, port_folder
from safetensors.torch import load_file

from ifseg_cli.core.bases.folder import load_base, load_model_folder, save_folder
from ifseg_cli.core.bases.loaded import LoadedModel
from ifseg_cli.core.bases.ofa.keymap import is_fresh
from ifseg_cli.core.bases.ofa.segmenter import Segmenter
from ifseg_cli.core.bases.places import LoadOptions
from ifseg_cli.core.errors import CheckpointError
from ifseg_cli.core.weights.reading import read_contents

CPU = torch.device("cpu")
TOLERANCE = 5e-5
TOKENIZER = Path(__file__).parents[1] / "data" / "tokenizer"
SHARED = Path(__file__).parents[2] / ".." / "shared" / "parity"  # the layouts as their programs wrote them
TRAINING = published.HERE / "fairseq_ckpt.pt"
OPTIONS = LoadOptions(tokenizer=TOKENIZER, size_from_weights=True)  # the settings say resnet50, the blocks are 1-1-1
BASES = ("fairseq", "port")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same weights as a pre-trained OFA, in both published layouts."""
    folder = tmp_path_factory.mktemp("bare")
    return {"fairseq": fairseq_file(folder / "fairseq.pt"), "port": port_folder(folder / "port")}


@pytest.fixture(scope="module")
def training() -> LoadedModel:
    return load_model_folder(TRAINING, CPU, OPTIONS)


def compare(model: Segmenter, group: str) -> None:
    """Encoder output and scores of an image group."""
    io = numbers()
    with torch.inference_mode():
        seen = model.see(normalised(group))
        biases = model.biases(seen.grid)
        if f"{group}.encoder_out" in io:
            encoded = model.encoder(seen.cells, model.embed_tokens(model.prompt_ids), biases.encoder)
            assert largest_difference(encoded[0], io[f"{group}.encoder_out"]) < TOLERANCE
        logits = model.features(seen.cells, seen.grid) @ model.rows.T
        assert largest_difference(logits[0], io[f"{group}.logits"]) < TOLERANCE


@pytest.mark.parametrize("group", IMAGES)
def test_a_training_checkpoint_as_it_is(training: LoadedModel, group: str) -> None:
    compare(training.network, group)


def test_its_prompt_and_rows_are_the_published_ones(training: LoadedModel) -> None:
    io = numbers()
    assert training.vocabulary is not None
    assert list(training.vocabulary.prompt_ids) == io["tokens.source"].tolist()
    assert training.vocabulary.names == ("giraffe", "grass", "tennis racket", "sky", "potted plant", "sea lion", "tree")
    assert torch.equal(training.network.rows, io["seg.embedding"])


@pytest.mark.parametrize("half", [False, True], ids=["exact", "fp16"])
def test_our_own_folder_saved_from_it(training: LoadedModel, tmp_path: Path, half: bool) -> None:

    save_folder(tmp_path, training, half=half)
    compare(load_model_folder(tmp_path, CPU).network, "img_wide")


@pytest.mark.parametrize("door", BASES)
@pytest.mark.parametrize("group", ["img_square", "img_small"])
def test_bare_files_with_the_segmentation_entries_of_the_training_checkpoint(
    training: LoadedModel, bare: dict[str, Path], door: str, group: str
) -> None:
    loaded = load_base(str(bare[door]), CPU, OPTIONS)
    model, theirs = loaded.network, training.network.state_dict()
    assert model.config.tokens == 59457
    entries = {name: each for name, each in theirs.items() if is_fresh(name)}
    assert len(entries) == 5
    model.load_state_dict(entries, strict=False)
    vocabulary = training.vocabulary
    assert vocabulary is not None
    model.set_vocabulary(vocabulary.prompt_ids, vocabulary.piece_ids)
    compare(model, group)


@pytest.mark.parametrize(
    ("door", "original"), [("fairseq", "public/ofa_style_ckpt.pt"), ("port", "hf/pytorch_model.bin")]
)
def test_the_bare_files_hold_what_their_programs_wrote(bare: dict[str, Path], door: str, original: str) -> None:
    if not (SHARED / original).exists():
        pytest.skip(f"needs ../shared/parity/{original}: the file that the one made here is to be equal to")
    ours = read_contents(bare[door] / "pytorch_model.bin" if door == "port" else bare[door])
    theirs = read_contents(SHARED / original)
    assert ours.layout == theirs.layout
    counted = {name for name in theirs.tensors if name.endswith("num_batches_tracked")}  # of no use to anybody
    assert ours.tensors.keys() == theirs.tensors.keys() - counted
    assert all(torch.equal(each, theirs.tensors[name]) for name, each in ours.tensors.items())


@pytest.mark.parametrize("door", BASES)
def test_the_language_model_of_the_bare_files_is_the_ports(bare: dict[str, Path], door: str) -> None:
    loaded = load_base(str(bare[door]), CPU, OPTIONS)
    theirs, model = load_file(published.HERE / "text_io.safetensors"), loaded.network
    source = theirs["img_square.input_ids"].long()
    with torch.inference_mode():
        seen = model.see(normalised("img_square"))
        memory = model.encoder(seen.cells, model.embed_tokens(source), model.encoder.bias(seen.grid, len(source)))
        target = theirs["img_square.decoder_input_ids"].long()
        logits = model.text_logits(seen.cells, seen.grid, source, target)[0]
    assert largest_difference(memory[0], theirs["img_square.encoder_last_hidden_state"]) < TOLERANCE
    assert largest_difference(logits[:, ::8], theirs["img_square.decoder_logits"]) < TOLERANCE
    assert loaded.reader.tokenizer.encode(" what does the image describe?") == source.tolist()[1:-1]


def test_settings_that_say_resnet50_are_refused_unless_told_otherwise() -> None:
    with pytest.raises(CheckpointError, match=r"resnet_type resnet50 \(blocks 3-4-6\), the tensors have 1-1-1"):
        load_model_folder(TRAINING, CPU, LoadOptions(tokenizer=TOKENIZER))
