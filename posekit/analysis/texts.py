"""Numbers as readers see them in every table."""

import math


def difference_text(points: float, low: float, high: float) -> str:
    """Such as `-1.2 (-3.0 to +0.6)`; "" where there is none. What rounds to zero is +0.0."""
    return "" if math.isnan(points) else f"{points:+z.1f} ({low:+z.1f} to {high:+z.1f})"
