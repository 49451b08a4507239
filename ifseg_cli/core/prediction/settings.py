"""What the user may choose at prediction: one frozen dataclass, checked as it is made."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ifseg_cli.core.errors import IfsegError

MAX_PIXELS = 179_000_000  # Pillow's own limit against decompression bombs, rounded


@dataclass(frozen=True)
class PredictionSettings:
    """The choices of a prediction; the defaults are the method's (section 6).

    Raises:
        IfsegError: a value is out of its range.
    """

    smoothing_iterations: int = 25  # rounds of averaging over neighbours; 0 switches smoothing off
    neighbours: int = 3  # K, cells averaged in a round, itself included
    threshold: float = 0.0  # pixels less confident than this become ignore; 0..1
    short_side: int | None = None  # pixels; None is the model's own
    overlay: bool = True  # overlays, thumbnails and the page beside the masks
    max_pixels: int = MAX_PIXELS  # pictures with more are refused

    def __post_init__(self) -> None:
        _require(self.smoothing_iterations >= 0, "--smoothing-iterations", self.smoothing_iterations, "0 or more")
        _require(self.neighbours >= 1, "--neighbours", self.neighbours, "1 or more")
        _require(0.0 <= self.threshold <= 1.0, "--threshold", self.threshold, "a probability from 0 to 1")
        _require(self.short_side is None or self.short_side >= 16, "--short-side", self.short_side, "16 pixels or more")
        _require(self.max_pixels >= 1, "max_pixels", self.max_pixels, "1 or more")

    def to_json(self) -> dict[str, object]:
        """A plain dictionary for `provenance.json`."""
        return asdict(self)


def _require(right: bool, name: str, value: object, expected: str) -> None:
    if not right:
        raise IfsegError(f"{name} is {value}", expected, "see ifseg predict --help")
