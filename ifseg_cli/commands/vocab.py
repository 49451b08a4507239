"""`ifseg vocab`: what the model will read, and what is wrong with the words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.text import Text

from ifseg_cli.commands import console

if TYPE_CHECKING:
    from rich.table import Table

    from ifseg_cli.core.vocabulary.findings import Finding
    from ifseg_cli.core.vocabulary.inspection import Inspected, Inspection
    from ifseg_cli.core.vocabulary.known import KnownWords

WIDE = 100  # columns of a terminal from which on two neighbours are shown; --json has three
MOST_NEAR = 20  # warnings about near-synonyms that are shown; --json has all
PROMPT_SHOWN = 600  # characters of the prompt that are shown; --json has all


def vocab(
    categories: Annotated[
        str | None,
        typer.Argument(metavar="[FILE|NAME]", help="A category file, or a shipped list by name.", show_default=False),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(help="A category by name, instead of a file; may be repeated.", show_default=False),
    ] = None,
    base: Annotated[
        str, typer.Option(help="The base: builtin, a folder, a .pt file, ofa-base or OWNER/NAME.")
    ] = "builtin",
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="Folder or file of the base's tokenizer, if it is not beside it.", show_default=False),
    ] = None,
    size_from_weights: Annotated[
        bool, typer.Option("--size-from-weights", help="Go on where a file's settings disagree with its weights.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never touch the network.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="The shipped lists, and what the built-in base knows.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON on stdout.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the vocabulary as JSON, if it has no errors.", show_default=False)
    ] = None,
    allow_unknown: Annotated[
        bool, typer.Option("--allow-unknown", help="Names the base does not know are a warning, not an error.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file of --out.")] = False,
) -> int:
    """Show what the model will read, and what is wrong with the words.

    A category file has one category per line, with synonyms after commas, a raw id in front and a colour behind if you
    like (80 road, street #804080). Exit code 2 if there are errors, 0 if there are only warnings.

    Example:  ifseg vocab cats.txt

    Example:  ifseg vocab --category "tv, television" --category sofa --category wall

    Example:  ifseg vocab voc --out vocabulary.json
    """
    from ifseg_cli.core.checkpoint.layout import LoadOptions, require_base
    from ifseg_cli.core.files import require_new
    from ifseg_cli.core.vocabulary.files import gather_categories

    if list_:
        return _show_lists(as_json)
    given, source = gather_categories(categories, category or ())
    loading = LoadOptions(tokenizer, size_from_weights, offline)
    require_base(base, loading)
    if out is not None:
        require_new(out, overwrite)

    import torch  # from here on: what can be checked without it has been

    from ifseg_cli.core.checkpoint.folder import load_base
    from ifseg_cli.core.vocabulary.inspection import inspect_categories

    loaded = load_base(base, torch.device("cpu"), loading)
    config, weight = loaded.segmenter.config, loaded.segmenter.embed_tokens.weight.detach()
    reading = (given, loaded.tokenizer)
    limits = (config.prompt, config.max_text)
    seen = inspect_categories(*reading, weight, *limits, loaded.known, allow_unknown)
    if as_json:
        print(json.dumps({"source": source, "base": base, **seen.to_json()}, indent=2, ensure_ascii=False))
    else:
        _show(seen, loaded.known is not None)
    _say_findings(seen.findings)
    if seen.errors:
        return console.USER_ERROR
    if out is not None:
        from ifseg_cli.core.files import write_json
        from ifseg_cli.core.vocabulary.vocabulary import build_vocabulary

        write_json(out, build_vocabulary(*reading, *limits, source, loaded.known, allow_unknown).to_json())
        console.say(f"wrote {escape(str(out))}")
    return console.DONE


def _show(seen: Inspection, tells_known: bool) -> None:
    """The table, then the prompt."""
    has_raw = any(each.category.raw_id is not None for each in seen.categories)
    columns: list[str | tuple[str, dict[str, Any]]] = [
        ("#", {"justify": "right", "no_wrap": True}),
        ("colour", {"no_wrap": True}),
        ("name", {"ratio": 3, "overflow": "fold", "min_width": 10}),
        ("sub-words (ids)", {"ratio": 4, "overflow": "fold", "min_width": 12}),
        ("nearest (cosine)", {"ratio": 3, "overflow": "fold", "min_width": 12}),
    ]
    if has_raw:
        columns.insert(1, ("raw", {"justify": "right", "no_wrap": True}))
    if tells_known:
        columns.insert(-2, ("known as", {"ratio": 2, "overflow": "fold", "min_width": 7}))
    rows = [_row(each, has_raw, tells_known) for each in seen.categories]
    console.out.print(console.table(None, columns, rows))
    count, limit = len(seen.prompt_ids), seen.limit
    text = seen.prompt if len(seen.prompt) <= PROMPT_SHOWN else seen.prompt[:PROMPT_SHOWN] + " ..."
    console.out.print(f"\n[bold]prompt[/]  {escape(text)}")
    console.out.print(f"{count} of at most {limit} tokens, {len(seen.categories)} categories")


def _row(each: Inspected, has_raw: bool, tells_known: bool) -> list[Any]:
    from ifseg_cli.core.vocabulary.category import hex_colour

    shade = hex_colour(each.colour)
    row: list[Any] = [str(each.index)]
    if has_raw:
        row.append(str(each.category.raw_id))
    # Solid blocks in the colour, and its number beside them for those who see no colour.
    row += [Text.assemble(("██", shade), " ", shade), ", ".join(each.category.names)]
    if tells_known:
        row.append(", ".join(dict.fromkeys(reading.how or "unknown" for reading in each.readings)))
    read = zip(each.readings, each.pieces, strict=True)
    row.append(" | ".join(_pieces(reading.ids, pieces) for reading, pieces in read))
    row.append(
        ", ".join(f"{name} {value:.2f}" for name, value in each.nearest[: 2 if console.out.width >= WIDE else 1])
    )
    return row


def _pieces(ids: Sequence[int], pieces: Sequence[str]) -> str:
    """`▁skate▁board (12 34)`: the leading space that starts a word is shown as it is stored."""
    return f"{' '.join(pieces)} ({' '.join(map(str, ids))})"


def _say_findings(findings: Sequence[Finding]) -> None:
    near = 0
    for finding in findings:
        near += finding.kind == "near"
        if finding.kind == "near" and near > MOST_NEAR:
            continue
        say = console.say_error if finding.level == "error" else console.say_warning
        say(finding.message)
    if near > MOST_NEAR:
        console.say_warning(f"{near - MOST_NEAR} more pairs mean nearly the same; --json lists them")


def _show_lists(as_json: bool) -> int:
    """The shipped lists and the words of the built-in base; needs no torch."""
    from ifseg_cli.core.vocabulary.known import KnownWords
    from ifseg_cli.core.vocabulary.shipped import LABELS, list_names, shipped_list

    lists = [shipped_list(name) for name in list_names()]
    path = LABELS.parent / "builtin" / "words.json"
    known = KnownWords.read(path) if path.is_file() else None
    if as_json:
        entries = [
            {
                "name": e.name,
                "title": e.title,
                "categories": len(e.categories),
                "source": e.source,
                "licence": e.licence,
            }
            for e in lists
        ]
        words = {} if known is None else {how: len(words) for how, words in _by_how(known).items()}
        print(json.dumps({"lists": entries, "builtin_words": words}, indent=2, ensure_ascii=False))
        return console.DONE
    columns: list[str | tuple[str, dict[str, Any]]] = [
        ("list", {"no_wrap": True}),
        ("names", {"justify": "right"}),
        ("what", {"ratio": 1}),
        ("source", {"ratio": 1, "overflow": "fold"}),
    ]
    # The first source; --json has all of them, and the licences.
    rows = [(e.name, str(len(e.categories)), e.title, e.source.split(";")[0]) for e in lists]
    console.out.print(console.table("Shipped lists", columns, rows))
    if known is not None:
        console.out.print()
        console.out.print(_words_table(known))
    return console.DONE


def _by_how(known: KnownWords) -> dict[str, list[str]]:
    """The known words by where their meaning comes from."""
    groups: dict[str, list[str]] = {}
    for surface, word in known.words.items():
        groups.setdefault(word.how, []).append(surface)
    return groups


_HOW = {
    "class": "a class of the picture classifier",
    "tree": "the classes under it in WordNet",
    "lexicon": "the classes it is seen with",
    "texture": "a drawn texture",
}


def _words_table(known: KnownWords) -> Table:
    columns: list[str | tuple[str, dict[str, Any]]] = [
        ("known as", {"no_wrap": True}),
        ("words", {"justify": "right"}),
        ("meaning from", {"ratio": 2}),
        ("for example", {"ratio": 3}),
    ]
    rows: list[tuple[str, str, str, str]] = []
    for how, words in _by_how(known).items():
        # Evenly spread, so that the examples are not all of one letter.
        shown = words[:: max(1, len(words) // 6)][:6]
        rows.append((how, str(len(words)), _HOW.get(how, how), ", ".join(shown)))
    return console.table(
        f"The built-in base knows {len(known.words)} words, their plurals and compounds", columns, rows
    )
