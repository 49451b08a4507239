"""What a run came to, counted as it goes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ifseg_cli.core.prediction.engine.manifest import Failure, Record
from ifseg_cli.core.vocabulary.vocabulary import Vocabulary


@dataclass
class Summary:
    """What a run came to, counted as it went."""

    vocabulary: Vocabulary
    done: int = 0
    before: int = 0  # of these, by an earlier run
    ignored: int = 0  # pixels
    seconds: float = 0.0
    interrupted: bool = False  # by the user; what is done is whole
    passed_over: Counter[str] = field(default_factory=Counter[str])  # kind -> files
    failures: list[Failure] = field(default_factory=list[Failure])
    notes: Counter[str] = field(default_factory=Counter[str])  # what was done to pictures -> pictures
    several: int = 0  # pictures of several frames or pages, of which the first was used
    images_with: Counter[str] = field(default_factory=Counter[str])  # category -> images
    pixels_of: Counter[str] = field(default_factory=Counter[str])  # category -> pixels

    def add(self, outcome: Record | Failure, before: bool = False) -> None:
        """Count one image."""
        if isinstance(outcome, Failure):
            self.failures.append(outcome)
            return
        self.done += 1
        self.before += before
        self.ignored += outcome.ignored
        self.notes.update(outcome.notes)
        self.several += outcome.frames > 1
        self.images_with.update(area.name for area in outcome.classes)
        self.pixels_of.update({area.name: area.pixels for area in outcome.classes})

    def followed_by(self, later: Summary) -> Summary:
        """What this run and a later one came to, which tried again what had failed."""
        return Summary(
            self.vocabulary,
            self.done + later.done,
            self.before + later.before,
            self.ignored + later.ignored,
            self.seconds + later.seconds,
            later.interrupted,
            later.passed_over,
            later.failures,
            self.notes + later.notes,
            self.several + later.several,
            self.images_with + later.images_with,
            self.pixels_of + later.pixels_of,
        )

    @property
    def never_predicted(self) -> tuple[str, ...]:
        """Categories that no pixel got."""
        return tuple(name for name in self.vocabulary.names if not self.pixels_of[name])

    def share(self, name: str) -> float:
        """A category's share of all pixels, ignored ones included, 0..1."""
        return self.pixels_of[name] / max(1, self.pixels_of.total() + self.ignored)
