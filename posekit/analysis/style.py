"""What all figures share.

Every model has its own color, dash and marker, so that figures are readable for color-blind people and in print
without color.
"""

from collections.abc import Sequence

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from posekit.study.configurations import MODELS, OWN_MODEL
from posekit.study.runs import Run

#: Of every model, in every figure.
_NUMBERS = [*MODELS, OWN_MODEL.number]
COLORS = dict(zip(_NUMBERS, sns.color_palette("colorblind", len(_NUMBERS)), strict=True))
MARKERS = dict(zip(_NUMBERS, "osD^vXP", strict=True))
DASHES = dict(
    zip(_NUMBERS, ["-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (7, 3)), (0, (3, 1))], strict=True)
)


def new_figure(
    width: float, height: float, columns: int = 1, rows: int = 1, **options
) -> tuple[Figure, np.ndarray]:
    """An empty figure in the study's style (inches), and its axes (rows, columns)."""
    with sns.axes_style("ticks"), sns.plotting_context("paper", font_scale=1.1):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, axes


def study_of(runs: Sequence[Run]) -> str:
    """Data set and profile, for titles."""
    config = runs[0].config
    return f"{config.data}, profile {config.profile}"
