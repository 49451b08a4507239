"""A dense CRF over pixels, as the published demo ends with (Kraehenbuehl and Koltun, NeurIPS 2011).

pydensecrf is imported when it is asked for: it compiles on installation, and only `--refine crf` needs it.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from ifseg_cli.core.errors import RecipeError
from ifseg_cli.core.images.decode import Pixels

CELL = 16  # pixels of a cell of the grid, in the small picture: about the size at which it was seen
# The published demo's.
ROUNDS = 10
NEAR_WEIGHT, NEAR_REACH = 3, 1  # pixels that lie together: weight, standard deviation in pixels
ALIKE_WEIGHT, ALIKE_REACH, ALIKE_COLOUR = 4, 67, 3  # and look alike: the same, and in grey levels
LEAST = 1e-5  # a probability below counts as this


def require_crf() -> None:
    """Say so early where pydensecrf is missing.

    Raises:
        RecipeError: it is.
    """
    if not find_spec("pydensecrf"):
        raise RecipeError("refine: crf, and pydensecrf2 is not installed", remedy="pip install 'ifseg[crf]'")


def crf(values: NDArray[np.float32], pixels: Pixels) -> NDArray[np.float32]:
    """(M, H, W) probabilities and (H, W, 3) uint8 colours -> the field's marginals (M, H, W), which sum to 1.

    Raises:
        RecipeError: pydensecrf is not installed.
    """
    require_crf()
    from pydensecrf.densecrf import DenseCRF2D  # pyright: ignore[reportMissingTypeStubs]

    number, height, width = values.shape
    field = DenseCRF2D(width, height, number)
    field.setUnaryEnergy(np.ascontiguousarray(-np.log(values.clip(LEAST, 1)).reshape(number, -1)))
    field.addPairwiseGaussian(sxy=NEAR_REACH, compat=NEAR_WEIGHT)
    colours = np.ascontiguousarray(pixels)
    field.addPairwiseBilateral(sxy=ALIKE_REACH, srgb=ALIKE_COLOUR, rgbim=colours, compat=ALIKE_WEIGHT)
    return np.asarray(field.inference(ROUNDS), dtype=np.float32).reshape(values.shape)
