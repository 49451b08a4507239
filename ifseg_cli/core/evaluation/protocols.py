"""Which classes compete, and against what a model was adapted: the protocols of the paper, by name.

    standard      all classes of the data set, adapted to their names
    zero-shot     the unseen classes alone compete; all other pixels are ignored (Table 1)
    generalised   all classes compete; mIoU of seen, of unseen, and their harmonic mean

and what follows from other options, named in the report beside it:

    cross-dataset  adapted to one vocabulary, judged on another: through a class map, or with the words swapped
    unsupervised   nameless clusters, matched to classes by what maximises the pixels that are right
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ifseg_cli.core.datasets.dataset import Dataset
from ifseg_cli.core.errors import DatasetError, listed
from ifseg_cli.core.evaluation.definitions import Scores
from ifseg_cli.core.evaluation.rules import Rules
from ifseg_cli.core.vocabulary import Category, read_categories

STANDARD, ZERO_SHOT, GENERALISED = "standard", "zero-shot", "generalised"
SENTENCES = {
    STANDARD: "All classes of the data set compete.",
    ZERO_SHOT: "Zero-shot: the unseen classes alone compete; pixels of all others are ignored.",
    GENERALISED: "Generalised zero-shot: all classes compete; seen and unseen are averaged apart.",
}
UNADAPTED = "Unadapted: the base as it is, with the data set's names; nothing was trained."
HARMONIC = "2 s u / (s + u) of the mIoU of seen (s) and unseen (u) classes."


@dataclass(frozen=True)
class Protocol:
    """A protocol with its classes.

    Attributes:
        name: its name, of those above.
        unseen: the names held back; empty for `standard`.
        unseen_from: where they stand.
        how: how another vocabulary, or none, was joined to the classes; empty where names are the same.
    """

    name: str = STANDARD
    unseen: tuple[str, ...] = ()
    unseen_from: str = ""
    how: str = ""

    @property
    def sentences(self) -> tuple[str, ...]:
        """What a report says of it."""
        return (SENTENCES[self.name], *([self.how] if self.how else []))

    def categories(self, classes: Sequence[Category]) -> tuple[Category, ...]:
        """Those of a data set's classes that compete."""
        if self.name != ZERO_SHOT:
            return tuple(classes)
        by_name = {each.name: each for each in classes}
        return tuple(by_name[name] for name in self.unseen)

    def applied(self, dataset: Dataset) -> Dataset:
        """The data set with the classes that compete."""
        if self.name != ZERO_SHOT or dataset.classes == self.unseen:
            return dataset
        at = [dataset.classes.index(name) for name in self.unseen]
        place = {old: new for new, old in enumerate(at)}
        return replace(
            dataset,
            classes=self.unseen,
            raw_ids=tuple(dataset.raw_ids[index] for index in at),
            value_of=tuple((raw, place[index]) for raw, index in dataset.value_of if index in place),
            undeclared="ignored",
            sure_of_ignore=True,
        )

    def split(self, classes: Sequence[str], scores: Scores) -> dict[str, float]:
        """mIoU of seen and unseen classes and their harmonic mean, of those that enter mIoU; empty where no split."""
        if self.name != GENERALISED:
            return {}
        unseen = [scores.iou[at] for at in scores.counted if classes[at] in self.unseen]
        seen = [scores.iou[at] for at in scores.counted if classes[at] not in self.unseen]
        parts = {"seen": _mean(seen), "unseen": _mean(unseen)}
        return parts | {"harmonic": harmonic(parts["seen"], parts["unseen"])}


def choose_protocol(rules: Rules, classes: Sequence[str], classes_from: str, default_unseen: str) -> Protocol:
    """The protocol that the rules name, with its classes.

    Args:
        rules: what the user said.
        classes: the data set's.
        classes_from: where they stand.
        default_unseen: the data set's own list of unseen classes; empty where it has none.

    Raises:
        DatasetError: nobody knows it, or its unseen classes are none of the data set's.
        CategoryError: the list of unseen classes cannot be read.
    """
    if rules.protocol not in SENTENCES:
        raise DatasetError(f"--protocol {rules.protocol}", f"one of {', '.join(SENTENCES)}")
    how = _how(rules)
    source = rules.unseen or default_unseen
    if rules.protocol == STANDARD:
        if rules.unseen:
            remedy = f"say --protocol {ZERO_SHOT} or --protocol {GENERALISED}"
            raise DatasetError("--unseen without a zero-shot protocol", remedy=remedy)
        return Protocol(how=how)
    if not source:
        remedy = "say --unseen FILE, a category file or shipped list"
        raise DatasetError(f"--protocol {rules.protocol} needs the unseen classes of {classes_from}", remedy=remedy)
    unseen = tuple(category.name for category in read_categories(source))
    if strangers := [f"'{name}'" for name in unseen if name not in classes]:
        raise DatasetError(f"{source} names {listed(strangers)}", f"classes of {classes_from}")
    if rules.protocol == GENERALISED and set(unseen) == set(classes):
        raise DatasetError(f"every class of {classes_from} is unseen in {source}", "some that are seen")
    return Protocol(rules.protocol, unseen, source, how)


def harmonic(seen: float, unseen: float) -> float:
    """2 s u / (s + u); 0 where both are 0."""
    return 2 * seen * unseen / (seen + unseen) if seen + unseen > 0 else 0.0 * (seen + unseen)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _how(rules: Rules) -> str:
    if rules.swap_vocabulary:
        return "Cross-dataset: the model got the data set's names at prediction; it was adapted to others."
    if rules.class_map:
        return "Cross-dataset: names or values are joined to the classes by a class map."
    if rules.match:
        return "Unsupervised: clusters without names, each matched to a class by the Hungarian method, labels seen."
    return ""
