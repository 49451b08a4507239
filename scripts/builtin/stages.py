"""The first three stages of `make_builtin.py`: words, textures, space. Each keeps its files in the work folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from builtin import base, rest, seen, tokens, wordnet
from builtin import published as classifier
from builtin import space as spaces
from builtin import words as vocabulary
from builtin.drawn import Drawn, draw
from builtin.photographs import Source
from ifseg_cli.core.bases.builtin.network import BuiltinNetwork
from ifseg_cli.core.files import sha256, write_atomic, write_json, write_text

DONE = "done"
PROMPT_DEVIATION = 0.02  # of the prompt's rows, which are only ever read as text


def words(work: Path) -> None:
    """words/words.json: every known word. Also the check of the lexicon."""
    made = vocabulary.build(wordnet.find(work))
    write_json(work / "words" / "words.json", made.to_json())
    print(
        f"{len(made.known)} words, {len(made.canonical)} with rows, {len(made.anchors)} different in evidence",
        file=sys.stderr,
    )


def textures(work: Path) -> None:
    """textures/drawn.safetensors: head, mid and texture of cells of drawn scenes."""
    drawn = draw(spaces.backbone(classifier.load()))
    tensors = {"head": drawn.head.half(), "mid": drawn.mid.half(), "texture": drawn.texture}
    save(work / "textures" / "drawn.safetensors", tensors)


def space(work: Path) -> None:
    """space/: space.safetensors (backbone, image_proj, embed_tokens), tokenizer.json, words.json."""
    made = vocabulary.build(wordnet.find(work))
    published = classifier.load()
    drawn = read_drawn(work)
    projection = spaces.projection(published, drawn, made)
    anchor_rows = spaces.rows(projection, spaces.weights(made))
    tokenizer, pieces = tokens.build([*made.canonical, rest.NAME])
    state = {f"backbone.{name}": tensor for name, tensor in published.backbone.items()}
    state |= {f"image_proj.{name}": tensor for name, tensor in projection.state_dict().items()}
    state["embed_tokens.weight"] = embedding(made, pieces, anchor_rows)
    folder = work / "space"
    save(folder / "space.safetensors", {name: to_disk(tensor) for name, tensor in state.items()})
    write_json(folder / "words.json", made.to_json())
    write_atomic(folder / "tokenizer.json", lambda path: tokenizer.save(str(path), pretty=False))


def see(work: Path, sources: Sequence[Source]) -> None:
    """seen/: what the backbone sees in captioned photographs."""
    made = base.fresh(work)
    network, known = made.network, made.reader.known
    assert isinstance(network, BuiltinNetwork) and known is not None  # what `fresh` makes
    space, told = sha256(work / "space" / "space.safetensors"), work / "seen" / "space.txt"
    if told.exists() and told.read_text() != space:
        raise SystemExit(f"{told.parent} was seen in another space: delete it")
    write_text(told, space)
    seen.keep(work, network, known, sources)


def read_drawn(work: Path) -> Drawn:
    """What the stage `textures` kept."""
    tensors = load_file(work / "textures" / "drawn.safetensors")
    return Drawn(tensors["head"].float(), tensors["mid"].float(), tensors["texture"])


def embedding(made: vocabulary.Words, pieces: list[str], anchor_rows: Tensor) -> Tensor:
    """Token embedding (tokens, d): a name's row is its anchor's; the prompt's words are small and random."""
    place = {anchor: row for row, anchor in enumerate(made.anchors)}
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(len(pieces), anchor_rows.shape[1], generator=generator) * PROMPT_DEVIATION
    named = {tokens.piece(surface): made.known[surface] for surface in made.canonical}
    for number, piece in enumerate(pieces):
        if piece in named:
            table[number] = anchor_rows[place[named[piece].anchor]]
        elif piece == tokens.piece(rest.NAME):
            table[number] = rest.row(table.shape[1])
    return table


def to_disk(tensor: Tensor) -> Tensor:
    """Half precision for what is a real number."""
    return tensor.half().contiguous() if tensor.is_floating_point() else tensor.contiguous()


def save(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write safetensors under another name, then move them into place."""
    write_atomic(path, lambda temporary: save_file({k: v.contiguous() for k, v in tensors.items()}, temporary))
