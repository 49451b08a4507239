"""The built-in base whole: a classifier's evidence in front of the segmenter, and its own artificial cells."""

from __future__ import annotations

from copy import deepcopy
from typing import ClassVar

import torch
from torch import Tensor

from ifseg_cli.core.bases.base import Artificial
from ifseg_cli.core.bases.builtin.efficientnet import EfficientNetLite
from ifseg_cli.core.bases.builtin.evidence import EvidenceCells, EvidenceProjection
from ifseg_cli.core.bases.builtin.noise import EvidenceNoise, Words
from ifseg_cli.core.bases.ofa.config import ModelConfig
from ifseg_cli.core.bases.ofa.segmenter import Segmenter


class BuiltinNetwork(Segmenter):
    """A segmenter whose artificial images carry the noise that photographs have for it."""

    has_noise: ClassVar[bool] = True
    note: ClassVar[str] = (
        "measured on labelled photographs, adapting this base gains a point of mIoU on street scenes "
        "and nothing beyond noise on everyday names (docs/numbers.md)"
    )

    def __init__(self, config: ModelConfig) -> None:
        backbone = config.backbone
        cells = EvidenceCells(backbone.anchors, backbone.textures, config.dim, backbone.captions)
        super().__init__(config, EfficientNetLite(), cells)
        self._noise: EvidenceNoise | None = None
        self._words: tuple[Tensor, Words] | None = None  # the rows that were asked, and what speaks for them

    @property
    def projection(self) -> EvidenceProjection:
        """`image_proj` by its type."""
        assert isinstance(self.image_proj, EvidenceProjection)
        return self.image_proj

    @torch.no_grad()
    def artificial(self, ids: Tensor, generator: torch.Generator) -> Artificial:
        """Cells with the base's own noise, drawn on the CPU so that they are the same on every device."""
        if self._noise is None:
            projection = self.projection
            on_cpu = projection.class_weight.device.type == "cpu"
            self._noise = EvidenceNoise(projection if on_cpu else deepcopy(projection).cpu())
        if self._words is None or self._words[0] is not self.rows:
            self._words = (self.rows, self._noise.words(self.rows.cpu()))
        cells, unknown = self._noise.draw(ids, self._words[1], generator)
        return Artificial(cells.to(self.rows.device), unknown)
