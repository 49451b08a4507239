"""Text to token ids, for every tokenizer a base can bring.

Two families, one door (`Tokenizer.load`):

- *byte-level BPE*, OFA's: GPT-2's pieces under OFA's ids. It lies on disk as fairseq's `encoder.json` + `vocab.bpe` +
  `dict.txt`, as Hugging Face's `vocab.json` + `merges.txt` (with or without the added tokens), or as one
  `tokenizer.json`; all give the same ids. The published program splits text at white space and encodes each word alone
  with one leading space (method, section 2); here that is `str.split` in Python, because the library's own idea of
  white space differs for a few control characters. Special symbols (`<mask>`, `<bin_0>`, ...) in a text are spelled
  out like any other letters.
- *Unigram over whole names*, the built-in base's (`whole_names.py`). Special symbols in a text become the unknown one.

Of a `tokenizer.json` only its pieces, ids and merges are taken. The rules it may hold besides (regular expressions,
replacements) are a program: a stranger's could run for ever or bring the process down.

One id above `size` can come out, and only for OFA: the published program reads a *word* that begins with `<seg_` as a
symbol of its dictionary, so `<seg_3>` is `size + 3` and any other such word is unknown. No embedding table has these
rows; `build_vocabulary` refuses them.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, cast

import tokenizers
from tokenizers import models, pre_tokenizers

from ifseg_cli.core.errors import NoTokenizerError, TokenizerError, shown
from ifseg_cli.core.files import read_small, write_text
from ifseg_cli.core.vocabulary.landmarks import require_ofa
from ifseg_cli.core.vocabulary.whole_names import SPACE, engine

MAX_BYTES = 32 << 20  # a tokenizer file above this is no tokenizer
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
PUBLISHED_TEXT = 50265  # OFA's entries up to and with <mask>; the codes and bins follow
CODES, BINS = 8192, 1000
LAYOUTS = "tokenizer.json, or vocab.json with merges.txt, or encoder.json with vocab.bpe and dict.txt"


class Tokenizer:
    """Text to ids and back to readable pieces.

    Attributes:
        size: number of ids, special symbols, codes and bins included; ids are `0..size-1`.
        bos: id of `<s>`.
        pad: id of `<pad>`.
        eos: id of `</s>`.
        unk: id of `<unk>`, what an unreadable piece becomes.
    """

    bos: int = 0
    pad: int = 1
    eos: int = 2
    unk: int = 3

    def __init__(self, engine: tokenizers.Tokenizer, symbols: dict[str, int], *, byte_level: bool, text: str) -> None:
        """Use `Tokenizer.load`; `symbols` maps every token to its id, `text` is what `save` writes."""
        self._engine, self._byte_level, self._text = engine, byte_level, text
        self._tokens = {index: token for token, index in symbols.items()}
        self.size = max(self._tokens) + 1
        self.bos, self.pad, self.eos, self.unk = (symbols.get(name, at) for at, name in enumerate(SPECIALS))

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read a `tokenizer.json`, or a folder in any of the layouts.

        Raises:
            TokenizerError: nothing there, a file malformed or larger than 32 MB, or files that do not fit together.
        """
        if path.is_file():
            return _from_json(path)
        has = {name for name in _FILES if (path / name).is_file()}
        if "tokenizer.json" in has:
            return _from_json(path / "tokenizer.json")
        if {"vocab.json", "merges.txt"} <= has:
            return _byte_level_bpe(_read_hf_vocabulary(path), _read_merges(path / "merges.txt"), path)
        if {"encoder.json", "vocab.bpe", "dict.txt"} <= has:
            return _byte_level_bpe(_read_fairseq_vocabulary(path), _read_merges(path / "vocab.bpe"), path)
        found = f"{path} has {', '.join(sorted(has))} alone" if has else f"no tokenizer in {path}"
        raise NoTokenizerError(found, LAYOUTS)

    def save(self, path: Path) -> None:
        """Write one `tokenizer.json`, whatever the layout was; `load` gives the same tokenizer back."""
        write_text(path, self._text)

    def encode(self, text: str) -> list[int]:
        """Ids of a text, without `<s>` and `</s>`; an empty text has none."""
        words = text.split()
        if not self._byte_level:
            ids = self._engine.encode(" ".join(words), add_special_tokens=False).ids
            return [self.unk if index in (self.bos, self.pad, self.eos) else index for index in ids]
        if any(word.startswith("<seg_") for word in words):
            return [index for word in words for index in self._encode_word(word)]
        return self._engine.encode(" ".join(words), add_special_tokens=False).ids

    def _encode_word(self, word: str) -> list[int]:
        if not word.startswith("<seg_"):
            return self._engine.encode(word, add_special_tokens=False).ids
        number = re.fullmatch(r"<seg_([0-9]{1,6})>", word)
        return [self.size + int(number[1]) if number else self.unk]

    def piece(self, index: int) -> str:
        """One id as people read it: a leading space as `▁`, broken characters as their bytes in hex (`‹f0 9f›`)."""
        token = self._tokens.get(index)
        if token is None:
            return f"<seg_{index - self.size}>" if self._byte_level and index >= self.size else f"<{index}>"
        if not self._byte_level:
            return token[:1] + token[1:].replace(SPACE, " ")
        if any(letter not in _BYTES for letter in token):
            return token
        data = bytes(_BYTES[letter] for letter in token)
        lead, rest = (SPACE, data[1:]) if data.startswith(b" ") else ("", data)
        try:
            return lead + rest.decode("utf-8")
        except UnicodeDecodeError:
            return f"{lead}‹{rest.hex(' ')}›"


_FILES = ("tokenizer.json", "vocab.json", "merges.txt", "encoder.json", "vocab.bpe", "dict.txt")


def _letters_of_bytes() -> dict[str, int]:
    """GPT-2's printable letter for every byte, the other way round."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    letters = {chr(byte): byte for byte in printable}
    return letters | {chr(256 + at): byte for at, byte in enumerate(others)}


_BYTES = _letters_of_bytes()


def _byte_level_bpe(symbols: dict[str, int], merges: list[tuple[str, str]], path: Path) -> Tokenizer:
    """The one construction behind all layouts of OFA's tokenizer."""
    symbols = _check_symbols(_with_published_symbols(symbols), path)
    try:
        engine = tokenizers.Tokenizer(models.BPE(vocab=symbols, merges=merges))
    except Exception as error:
        raise TokenizerError(f"{path}: merges and vocabulary do not fit: {error}", "files of one tokenizer") from error
    # A whitespace split in front of ByteLevel gives every word its own leading space.
    splits = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(add_prefix_space=True)]
    engine.pre_tokenizer = pre_tokenizers.Sequence(splits)  # pyright: ignore[reportAttributeAccessIssue]
    made = Tokenizer(engine, symbols, byte_level=True, text=engine.to_str())
    require_ofa(symbols, len(merges), made.encode, path)
    return made


def _with_published_symbols(symbols: dict[str, int]) -> dict[str, int]:
    """Add the image codes and location bins where the files stop at `<mask>`, as OFA's own loaders do."""
    if symbols.get("<mask>") != PUBLISHED_TEXT - 1 or len(symbols) != PUBLISHED_TEXT:
        return symbols
    added = [f"<code_{i}>" for i in range(CODES)] + [f"<bin_{i}>" for i in range(BINS)]
    return symbols | {name: PUBLISHED_TEXT + at for at, name in enumerate(added)}


def _read_hf_vocabulary(folder: Path) -> dict[str, int]:
    symbols = _read_object(folder / "vocab.json")
    if (folder / "added_tokens.json").is_file():
        symbols = symbols | _read_object(folder / "added_tokens.json")
    return symbols


def _read_fairseq_vocabulary(folder: Path) -> dict[str, int]:
    """OFA's dictionary: four special symbols, then the lines of dict.txt; a line's first word is a GPT-2 id."""
    pieces = {str(index): token for token, index in _read_object(folder / "encoder.json").items()}
    symbols = {name: at for at, name in enumerate(SPECIALS)}
    for number, line in enumerate(_read_text(folder / "dict.txt").splitlines(), start=1):
        word, _, count = line.rpartition(" ")
        if not word or not count.isdigit() or (word.isdigit() and word not in pieces):
            where = f"{folder / 'dict.txt'} line {number}: {line[:40]!r}"
            raise TokenizerError(where, "a GPT-2 id of encoder.json, then a count")
        symbols[pieces.get(word, word)] = len(SPECIALS) + number - 1
    return symbols | {"<mask>": max(symbols.values()) + 1}


def _read_merges(path: Path) -> list[tuple[str, str]]:
    merges: list[tuple[str, str]] = []
    # Only "\n" ends a line: the byte-level letters contain others that splitlines would take for one.
    for number, line in enumerate(_read_text(path).split("\n"), start=1):
        line = line.rstrip("\r")
        if not line or (number == 1 and line.startswith("#version")):
            continue
        parts = line.split(" ")
        if len(parts) != 2 or not all(parts):
            raise TokenizerError(f"{path} line {number}: {line[:40]!r}", "two pieces and one space between them")
        merges.append((parts[0], parts[1]))
    return merges


def _from_json(path: Path) -> Tokenizer:
    """A `tokenizer.json`, rebuilt under our own rules."""
    text = _read_text(path)
    values = _parse(text, path)
    model = values.get("model")
    if not isinstance(model, dict):
        raise TokenizerError(f"{path} has no model", "a tokenizer.json of the tokenizers library")
    model = cast("dict[str, Any]", model)
    added = _added_symbols(values, path)
    if model.get("type") == "BPE" and "ByteLevel" in json.dumps(values.get("pre_tokenizer")):
        symbols = _check_symbols(model.get("vocab"), path) | added
        return _byte_level_bpe(symbols, _merges_of(model, path), path)
    if model.get("type") != "Unigram":
        found = f"{path} holds a model of kind {shown(str(model.get('type')), 40)}"
        raise TokenizerError(found, "byte-level BPE (OFA's), or Unigram over whole names")
    pieces, unknown = _pieces(model, path)
    made = engine(pieces, unknown)
    symbols = _check_symbols({piece: index for index, (piece, _) in enumerate(pieces)} | added, path)
    return Tokenizer(made, symbols, byte_level=False, text=made.to_str())


def _pieces(model: dict[str, Any], path: Path) -> tuple[list[tuple[str, float]], int]:
    """Pieces with their log-probabilities, and which one is the unknown piece.

    Without it in its list the library aborts at the first strange letter.
    """
    listed, unknown = model.get("vocab"), model.get("unk_id")
    pieces: list[tuple[str, float]] = []
    for entry in cast("list[Any]", listed) if isinstance(listed, list) else []:
        piece, score = entry if isinstance(entry, list) and len(cast("list[Any]", entry)) == 2 else (None, None)
        number = isinstance(score, (int, float)) and not isinstance(score, bool) and math.isfinite(score)
        if not isinstance(piece, str) or not number:
            raise TokenizerError(f"{path}: piece {shown(str(entry), 40)}", "a text and its log-probability")
        pieces.append((piece, float(cast("float", score))))
    if type(unknown) is not int or not 0 <= unknown < len(pieces):
        raise TokenizerError(f"{path}: unk_id {shown(str(unknown), 40)}", "the index of a piece")
    return pieces, unknown


def _added_symbols(values: dict[str, Any], path: Path) -> dict[str, int]:
    try:
        return {str(token["content"]): token["id"] for token in values.get("added_tokens") or []}
    except (TypeError, KeyError) as error:
        raise TokenizerError(f"{path}: added_tokens is malformed", "a list of objects with content and id") from error


def _merges_of(model: dict[str, Any], path: Path) -> list[tuple[str, str]]:
    """Merges as pairs; older files write each as one string."""
    merges: list[tuple[str, str]] = []
    written = model.get("merges") or []
    if not isinstance(written, list):
        raise TokenizerError(f"{path}: merges are no list", "pairs of pieces")
    for entry in cast("list[Any]", written):
        parts = entry.split(" ") if isinstance(entry, str) else entry
        if not isinstance(parts, list) or len(parts) != 2:
            raise TokenizerError(f"{path}: merge {str(entry)[:40]!r}", "a pair of pieces")
        merges.append((str(parts[0]), str(parts[1])))
    return merges


def _check_symbols(values: object, path: Path) -> dict[str, int]:
    """Token -> id, ids non-negative, each used once and none absurd."""
    if not isinstance(values, dict) or not values:
        raise TokenizerError(f"{path}: no vocabulary", "an object of tokens and ids")
    symbols = cast("dict[str, Any]", values)
    if not all(type(index) is int and 0 <= index < (1 << 22) for index in symbols.values()):
        raise TokenizerError(f"{path}: an id is no number from 0 to 4194303", "an object of tokens and ids")
    if len(set(symbols.values())) != len(symbols):
        raise TokenizerError(f"{path}: two tokens share an id", "one id a token")
    return symbols


def _read_object(path: Path) -> dict[str, int]:
    return _check_symbols(_parse(_read_text(path), path), path)


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TokenizerError(f"{path} is no JSON: {error}") from error
    if not isinstance(values, dict):
        raise TokenizerError(f"{path} holds a {type(values).__name__}", "a JSON object")
    return cast("dict[str, Any]", values)


def _read_text(path: Path) -> str:
    try:
        return read_small(path, MAX_BYTES)
    except OSError as error:
        raise TokenizerError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TokenizerError(f"{path} is not UTF-8 (byte {error.start})") from error
