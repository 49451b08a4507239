"""What captions teach: the loss against its formula, the mean of runs, a small world in which all is known, and the
pre-training of encoder and decoder on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from builtin import captions, pretrain
from builtin.captioned import Photograph, Photographs
from builtin.captions import Learnt, Names
from builtin.related import Related
from builtin.seen import Head

from ifseg_cli.core.adaptation.optimiser import PublishedAdamW
from ifseg_cli.core.bases.builtin.evidence import EvidenceProjection
from ifseg_cli.core.bases.builtin.network import BuiltinNetwork
from ifseg_cli.core.bases.folder import LoadedModel, load_base

GRID = (6, 6)
WIDTH = 12  # principal coordinates of this world
NAMES = ("dog", "car", "boat", "sky", "grass", "person", "man", "shirt", "hand", "animal", "wall", "horse")


@pytest.fixture(scope="module")
def base() -> LoadedModel:
    return load_base("builtin", torch.device("cpu"))


@pytest.fixture(scope="module")
def words(base: LoadedModel) -> Related:
    ids = {name: base.reader.tokenizer.encode(name)[0] for name in NAMES}
    bound = torch.eye(len(base.network.embedding), dtype=torch.bool)
    for kind in ("dog", "horse"):
        bound[ids[kind], ids["animal"]] = bound[ids["animal"], ids[kind]] = True
    return Related(
        ids=ids,
        words=tuple(sorted(ids.values())),
        related=bound,
        stuff=frozenset(ids[name] for name in ("sky", "grass", "wall", "boat")),
        scenery=(ids["sky"], ids["grass"], ids["wall"]),
        people=frozenset((ids["person"], ids["man"])),
        clothes=frozenset((ids["shirt"],)),
        body=frozenset((ids["hand"],)),
        animals=frozenset((ids["dog"], ids["horse"], ids["animal"])),
        person=ids["person"],
        animal=ids["animal"],
    )


@pytest.fixture(scope="module")
def photos(base: LoadedModel, words: Related) -> Photographs:
    """Half of each photograph's cells show a little of the name in its caption, and the name's mark in the features."""
    rng, made = np.random.default_rng(0), []
    silent = torch.zeros(GRID[0] * GRID[1], base.network.embedding.shape[1])
    silent[:, -1] = 4.0
    for number in range(60):
        name = ("dog", "car", "man")[number % 3]
        head = torch.from_numpy(rng.normal(size=(len(silent), WIDTH)).astype(np.float32))
        head[: len(silent) // 2, number % 3] += 3.0
        said = {words.ids[name]: 2, words.ids["hand"]: 1}
        cells = silent + 0.1 * torch.from_numpy(rng.normal(size=silent.shape).astype(np.float32))
        cells[: len(silent) // 2] += 1.0 * base.network.embedding[words.ids[name]]
        made.append(
            Photograph(cells.half(), head.half(), torch.arange(36)[:, None].expand(-1, 3).short(), GRID, said, 0)
        )
    return Photographs(tuple(made), torch.zeros(WIDTH), torch.ones(WIDTH))


def test_the_loss_is_its_formula() -> None:
    """Against the sums written out, one photograph after the other."""
    torch.manual_seed(0)
    cells, head, rows = torch.randn(2, 24, 5), torch.randn(2, 24, 7), torch.randn(9, 5)
    u, v = torch.randn(3, 7), torch.randn(9, 3)
    names = [Names({1: 1.0, 2: 0.5}, {3: 0.7}, [4, 5]), Names({6: 1.0}, {3: 0.7}, [8])]
    one, somewhere, quiet = [], [], []
    for number, each in enumerate(names):
        listed = [*each.there, *each.perhaps, *each.absent]
        added = (head[number] @ u.T) @ v[listed].T
        p = (cells[number] @ rows[listed].T + added).softmax(-1)
        allowed = torch.tensor([*each.there.values(), *each.perhaps.values()] + [1e-8] * len(each.absent))
        one.append(-(p * allowed).sum(-1).log().mean())
        most = p[:, 0].topk(2).values.mean()  # a twelfth of the cells, for the one name that is sure
        somewhere.append(-(most + 1e-4).log())
        quiet.append(added.square().flatten())
    expected = torch.stack(one).mean() + 0.3 * torch.stack(somewhere).mean() + 0.02 * torch.cat(quiet).mean()
    torch.testing.assert_close(captions.caption_loss(cells, head, names, rows, u, v), expected, rtol=1e-4, atol=1e-5)


def test_the_mean_of_runs_says_their_mean() -> None:
    """Three runs of two directions in three: nothing is lost with six, and coordinates come out orthonormal."""
    torch.manual_seed(0)
    runs = [Learnt(torch.randn(2, 10), torch.randn(8, 2)) for _ in range(3)]
    found = captions.mean(runs, 6)
    expected = sum(run.v @ run.u for run in runs) / 3
    torch.testing.assert_close(found.v @ found.u, expected, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.u @ found.u.T, torch.eye(6), rtol=1e-4, atol=1e-5)


def test_class_logits_tell_what_they_can() -> None:
    """Where the logits hold all that is learnt, R z + r is u x; where they hold a part, it is the best guess."""
    torch.manual_seed(0)
    projection = EvidenceProjection(1, 1, 8)
    projection.class_weight, projection.class_bias = torch.randn_like(projection.class_weight), torch.randn(1000)
    told = torch.randn(3, 1000) @ projection.class_weight / 30
    mixing = torch.randn(1280, 1280) / 36
    features = torch.randn(4000, 1280) @ mixing + 2.0
    for seen, least in ((told, 0.99), (told + 0.5 * told.std() * torch.randn_like(told), 0.6)):
        directions = torch.linalg.qr(seen.T).Q.T.contiguous()
        head = Head(torch.randn(1280), directions, torch.rand(3) + 0.5, torch.cov(features.T), features.mean(0))
        photos = Photographs((), torch.randn(3), torch.rand(3) + 0.5)
        u = torch.eye(3)
        weight, bias, share = captions.from_logits(u, head, photos, projection)
        x = (head(features) - photos.mean) / photos.deviation
        left = x - ((features @ projection.class_weight.T + projection.class_bias) @ weight.T + bias)
        measured = 1 - left.var(0).sum() / x.var(0).sum()
        assert left.mean(0).abs().max() < 1e-2
        assert share == pytest.approx(measured.item(), abs=1e-3)
        assert least < share <= 1.0


def test_what_is_drawn_never_contradicts_the_caption(photos: Photographs, words: Related) -> None:
    """No absent name is said, related to what is said, or stuff; no part of a body is there; scenery may always be."""
    rng, ids = np.random.default_rng(1), words.ids
    seen: set[int] = set()
    for number in range(150):
        photo = photos.all[number % 3]
        if number % 3 == 0:
            photo = replace(photo, said=photo.said | {ids["man"]: 1, ids["shirt"]: 2})
        names = captions.draw(photo, photos, words, 2, rng)
        seen |= names.there.keys()
        assert ids["hand"] not in names.there
        assert not names.there.keys() & names.perhaps.keys() and not names.there.keys() & set(names.absent)
        assert not set(names.absent) & (words.stuff | photo.said.keys())
        assert all(not words.related[absent, list(names.there)].any() for absent in names.absent)
        assert {ids[name] for name in ("sky", "grass", "wall")} <= names.perhaps.keys() | names.there.keys()
        if names.there.keys() & words.people:
            assert not set(names.absent) & (words.people | words.clothes)
    assert {ids[name] for name in ("man", "person", "dog", "animal", "shirt", "car")} <= seen


def test_words_are_learnt_where_their_mark_is(
    photos: Photographs, words: Related, base: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Captions say which photographs; cells learn which cells. A word that no caption names learns nothing."""
    monkeypatch.setattr(captions, "RATE", 2e-2)
    monkeypatch.setattr(captions, "BATCH", 12)
    rows = torch.zeros_like(base.network.embedding)
    run = captions.Run(0, 20.0, 2)
    learnt = captions.learn(photos, words, rows, run)
    assert not learnt.v[words.ids["boat"]].any() and learnt.v[words.ids["dog"]].any()
    photo = photos.all[0]  # of a dog
    score = photo.head.float() @ learnt.u.T @ learnt.v.T
    better = score[:, words.ids["dog"]] - score[:, words.ids["car"]]
    assert better[:18].mean() > better[18:].mean() + 1.0
    again = captions.learn(photos, words, rows, run)
    assert torch.equal(learnt.u, again.u) and torch.equal(learnt.v, again.v)


def test_a_batch_is_a_function_of_its_number(photos: Photographs, words: Related, base: LoadedModel) -> None:
    reader = _reader(base, photos, words)
    first, again, other = (reader.batch(update, 0) for update in (3, 3, 4))
    assert first.names == again.names and torch.equal(first.cells, again.cells)
    assert first.names != other.names or not torch.equal(first.cells, other.cells)
    assert first.grid == (3, 3) and first.cells.shape == (pretrain.BATCH, 9, base.network.embedding.shape[1])
    torch.testing.assert_close(first.target.sum(-1), torch.ones(pretrain.BATCH, 9), rtol=1e-4, atol=1e-4)


def test_training_lowers_the_loss_and_not_by_a_constant(photos: Photographs, words: Related, base: LoadedModel) -> None:
    """From the plain loss on; what every picture would get alike is taken out of what is added."""
    own = load_base("builtin", torch.device("cpu"))
    reader = _reader(base, photos, words)
    optimiser = PublishedAdamW((each for _, each in own.network.trained_parameters()), pretrain.OPTIMISER)
    own.network.train()
    gains = [pretrain.train_step(own, reader.batch(0, 0), optimiser, n) for n in range(36)]
    assert gains[-1] > gains[0] + 0.05
    assert all(np.isfinite(gains))


def _reader(base: LoadedModel, photos: Photographs, words: Related) -> pretrain.PhotographReader:
    """The base with one row a word, and captions' coordinates that are already in it."""
    network = base.network
    assert isinstance(network, BuiltinNetwork)
    return pretrain.PhotographReader(network, photos, words, torch.zeros(0, WIDTH))
