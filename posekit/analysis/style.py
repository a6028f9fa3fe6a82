"""What all figures share.

Every model has its own color, marker and dash, so that figures are readable for color-blind people and in print
without color.
"""

from collections.abc import Sequence

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure

from posekit.study.configurations import REPORT_MODELS, in_order
from posekit.study.runs import Run

#: The first six stay apart for people who are blind to red, green or blue (CIELAB distances of 27 and more), and
#: from the black of floors; the others are for further models.
_COLORS = [
    *("#332288", "#e69f00", "#dc267f", "#994f00", "#56b4e9", "#785ef0"),
    *sns.color_palette("colorblind").as_hex()[2:],
]
_MARKERS = "osD^vXP*<>"
_DASHES = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (7, 3)), (0, (3, 1)))


#: Points, of remarks inside a figure: what stays readable on a page of 850 px.
SMALL = 9


def line_styles(models: Sequence[str]) -> dict[str, dict]:
    """Color, marker and linestyle of each model, as matplotlib's plot takes them.

    The report's six always have the same style. Further models take the remaining ones, in the order of `MODELS`.
    """
    names = [*REPORT_MODELS, *(name for name in in_order(set(models)) if name not in REPORT_MODELS)]
    return {
        name: {
            "color": _COLORS[number % len(_COLORS)],
            "marker": _MARKERS[number % len(_MARKERS)],
            "linestyle": _DASHES[number % len(_DASHES)],
        }
        for number, name in enumerate(names)
    }


def line_styles_of(runs: Sequence[Run]) -> dict[str, dict]:
    """`line_styles` of the models of some runs."""
    return line_styles([run.config.model for run in runs])


def new_figure(
    width: float, height: float, columns: int = 1, rows: int = 1, **options
) -> tuple[Figure, np.ndarray]:
    """An empty figure in the study's style (inches), and its axes (rows, columns).

    Up to 8.5 inches wide, no text is smaller than 9 pt on a page of 850 px, the width of a code host.
    """
    with sns.axes_style("ticks"), sns.plotting_context("paper", font_scale=1.15):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, axes


def study_of(runs: Sequence[Run]) -> str:
    """Data set and size, for titles."""
    config = runs[0].config
    return f"{config.data}, size {config.size}"
