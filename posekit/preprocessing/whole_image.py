"""A whole photograph as a finder sees it: its longer side of one length, filled up to whole cells."""

import cv2
import numpy as np

#: What lies beside a photograph: the mean that networks take away from pixels.
GRAY = 127


def whole_image(image: np.ndarray, side: int, multiple: int) -> tuple[np.ndarray, float]:
    """A photograph (H, W, 3) uint8 with its longer side `side` px long, gray below it and on its right up to
    multiples of `multiple`; and its zoom: pixel x of the photograph is (x + 0.5) zoom - 0.5 of the picture."""
    height, width = image.shape[:2]
    zoom = side / max(height, width)
    size = [max(round(zoom * length), 1) for length in (width, height)]
    smaller = cv2.resize(image, size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR)
    below, beside = -size[1] % multiple, -size[0] % multiple
    filled = cv2.copyMakeBorder(smaller, 0, below, 0, beside, cv2.BORDER_CONSTANT, value=(GRAY, GRAY, GRAY))
    return filled, zoom
