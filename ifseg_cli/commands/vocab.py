"""`ifseg vocab`: what the model will read, and what is wrong with the words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.text import Text

from ifseg_cli.commands import console, options

if TYPE_CHECKING:
    from rich.table import Table

    from ifseg_cli.core.vocabulary.findings import Finding
    from ifseg_cli.core.vocabulary.inspection import Inspected, Inspection
    from ifseg_cli.core.vocabulary.known import KnownWords

WIDE = 100  # columns of a terminal from which on two neighbours are shown; --json has three
MOST_NEAR = 20  # warnings about near-synonyms that are shown; --json has all
PROMPT_SHOWN = 600  # characters of the prompt that are shown; --json has all


def vocab(
    categories: options.Words = None,
    base: options.Base = "builtin",
    list_: Annotated[bool, typer.Option("--list", help="The shipped lists, and what the built-in base knows.")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write the vocabulary as JSON, if it has no errors.", show_default=False),
    ] = None,
    category: options.Category = None,
    allow_unknown: options.AllowUnknown = False,
    strict: options.Strict = False,
    tokenizer: options.Tokenizer = None,
    size_from_weights: options.SizeFromWeights = False,
    prompt: options.Prompt = None,
    offline: options.Offline = False,
    as_json: options.AsJson = False,
    overwrite: options.Overwrite = False,
) -> int:
    """Show what the model will read, and what is wrong with the words.

    A category file has one category per line, with synonyms after commas, a raw id in front and a colour behind if you
    like (80 road, street #804080). Exit code 2 if there are errors, 0 if there are only warnings.

    Example:  ifseg vocab cats.txt

    Example:  ifseg vocab --category "tv, television" --category sofa --category wall

    Example:  ifseg vocab voc --out vocabulary.json
    """
    if list_:
        return _show_lists(as_json)
    from ifseg_cli.core.bases.vocab import vocab as inspect

    found = inspect(
        options.words_given(categories, category),
        base=base,
        out=out,
        allow_unknown=allow_unknown,
        strict=strict,
        loading=options.loading(tokenizer, size_from_weights, prompt, offline),
        overwrite=overwrite,
    )
    seen = found.inspection
    if as_json:
        print(json.dumps({"source": found.source, "base": base, **seen.to_json()}, indent=2, ensure_ascii=False))
    else:
        _show(seen, found.reader.known is not None)
    _say_findings(seen.findings)
    if seen.errors:
        return console.USER_ERROR
    if out is not None:
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
    from ifseg_cli.core.errors import counted

    count, limit = len(seen.prompt_ids), seen.limit
    text = seen.prompt if len(seen.prompt) <= PROMPT_SHOWN else seen.prompt[:PROMPT_SHOWN] + " ..."
    console.out.print(f"\n[bold]prompt[/]  {escape(text)}")
    console.out.print(f"{count} of at most {limit} tokens, {counted(len(seen.categories), 'category')}")


def _row(each: Inspected, has_raw: bool, tells_known: bool) -> list[Any]:
    from ifseg_cli.core.images.colour import hex_colour

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
    from ifseg_cli.core.bases.places import known_words
    from ifseg_cli.core.vocabulary.lists import list_names, shipped_list

    lists = [shipped_list(name) for name in list_names()]
    known = known_words("builtin")
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
        words = {} if known is None else {how: len(words) for how, words in known.by_how().items()}
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
    for how, words in known.by_how().items():
        # Evenly spread, so that the examples are not all of one letter.
        shown = words[:: max(1, len(words) // 6)][:6]
        rows.append((how, str(len(words)), _HOW.get(how, how), ", ".join(shown)))
    return console.table(
        f"The built-in base knows {len(known.words)} words, their plurals and compounds", columns, rows
    )
