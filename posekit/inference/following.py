"""Where a person is in the next frame of a video, from the joints that were found in this one."""

import numpy as np

#: Joints with less confidence do not count, and with fewer that count the person is lost. Chosen for the networks
#: that come along, so that a person is rarely taken for lost and a box beside a person mostly is.
SURE, FEWEST_JOINTS = 0.2, 8


def next_box(
    box: np.ndarray, joints: np.ndarray, confidence: np.ndarray, size: tuple[int, int]
) -> np.ndarray | None:
    """The box (4,) for the next frame; None if the person is lost.

    box (4,): left, top, right, bottom of this frame; joints (16, 2) and confidence (16,) that were found in it;
    image px. size: width, height of the frame. The box keeps its size, and its middle goes half of the way to the
    middle of the joints' extent: one wrong joint moves it by a quarter of its error. A box that also took the size
    of the extent would shrink: it misses the joints that are not found, so finds fewer in the next frame.
    """
    sure = np.clip(joints[confidence >= SURE], 0, np.array(size) - 1)  # so the box cannot leave the frame
    if len(sure) < FEWEST_JOINTS:
        return None
    box = np.asarray(box, float)
    middle = (sure.min(axis=0) + sure.max(axis=0)) / 2
    step = (middle - (box[:2] + box[2:]) / 2) / 2
    return box + np.tile(step, 2)
