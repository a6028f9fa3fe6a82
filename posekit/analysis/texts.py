"""Numbers and lists as readers see them in every table."""

import math
from collections.abc import Iterable


def listed(words: Iterable[str]) -> str:
    """Such as "RMSprop, RAdam and Adam"."""
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last


def difference_text(points: float, low: float, high: float) -> str:
    """Such as `-1.2 (-3.0 to +0.6)`; "" where there is none. What rounds to zero is +0.0."""
    return "" if math.isnan(points) else f"{points:+z.1f} ({low:+z.1f} to {high:+z.1f})"
