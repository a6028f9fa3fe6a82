"""How good a pose is: PCKh at one threshold, over all thresholds, and for visible and occluded joints separately.

PCKh@t (Andriluka et al., CVPR 2014) is the share of annotated joints whose prediction lies within t times the
head size of the truth. "PCKh" alone is not a number, so every mean has a name (`MEANS`); the usual three are

- macro14:    the mean of the percentages of 14 joints (without pelvis and thorax);
- weighted14: all annotated joints of these 14 counted together;
- weighted16: all annotated joints of all 16.

Networks that were trained on COCO have neither head top nor neck. For comparing with them there is

- weighted12: all annotated joints of the limbs: shoulders, elbows, wrists, hips, knees and ankles.
"""

from dataclasses import dataclass

import numpy as np
from scipy.integrate import trapezoid

from posekit.skeleton import GROUPS, INDEX, JOINTS, SCORED, SIDES

#: Every mean by name: the plain mean of cells; within a cell all annotated joints are counted together. Beside
#: the usual three there are weighted12, the seven groups of published tables and the 16 joints.
MEANS: dict[str, tuple[tuple[int, ...], ...]] = {
    "macro14": tuple((joint,) for joint in SCORED),
    "weighted14": (SCORED,),
    "weighted16": (tuple(range(len(JOINTS))),),
    "weighted12": (tuple(joint for joint in range(len(JOINTS)) if SIDES[joint] != "middle"),),
    **{group: tuple((joint,) for joint in members) for group, members in GROUPS.items()},
    **{name: ((joint,),) for joint, name in enumerate(JOINTS)},
}


def head_distances(predicted: np.ndarray, truth: np.ndarray, head_size: np.ndarray) -> np.ndarray:
    """(N, 16) float64: distances in head sizes; NaN where the joint is not annotated or no head size is known.

    predicted and truth are (N, 16, 2) in image px, head_size is (N,) in image px. A prediction that is not a
    number is infinitely far away: it must not drop out of the count.
    """
    distance = np.linalg.norm(predicted - truth, axis=2) / head_size[:, None]
    counted = np.isfinite(truth).all(axis=2) & np.isfinite(head_size)[:, None]
    return np.where(counted, np.where(np.isfinite(distance), distance, np.inf), np.nan)


def split_by_visibility(distances: np.ndarray, visible: np.ndarray) -> dict[str, np.ndarray]:
    """The distances (N, 16) of the `visible` and of the `occluded` joints, each (N, 16) and NaN elsewhere.

    visible (N, 16) bool is `People.visible`. A joint that is not annotated is in neither. In MPII head top
    and upper neck are never occluded: macro14 of the occluded joints is NaN, their weighted14 is a number.
    """
    return {
        "visible": np.where(visible, distances, np.nan),
        "occluded": np.where(visible, np.nan, distances),
    }


def torso_size(joints: np.ndarray) -> np.ndarray:
    """(N,) image px: from the right shoulder to the left hip of joints (N, 16, 2), what PCK on LSP divides by
    (Yang and Ramanan, TPAMI 2013); NaN where one of them is not annotated."""
    return np.linalg.norm(joints[:, INDEX["right shoulder"]] - joints[:, INDEX["left hip"]], axis=1)


@dataclass(frozen=True)
class PCKh:
    """PCKh at one threshold, in percent; NaN for joints that no person has."""

    threshold: float
    joints: np.ndarray  # (16,) float64
    counts: np.ndarray  # (16,) int64, annotated joints behind each percentage

    def mean(self, name: str) -> float:
        """One of `MEANS`; NaN where no person has the joints of a cell."""
        return float(_mean(name, self.joints, self.counts))

    @property
    def macro14(self) -> float:
        return self.mean("macro14")

    @property
    def weighted14(self) -> float:
        return self.mean("weighted14")

    @property
    def weighted16(self) -> float:
        return self.mean("weighted16")

    @property
    def groups(self) -> dict[str, float]:
        """The seven columns of published tables: each the mean over right and left."""
        return {group: self.mean(group) for group in GROUPS}


@dataclass(frozen=True)
class PCKhCurve:
    """PCKh at T growing thresholds, in percent; NaN for joints that no person has."""

    thresholds: np.ndarray  # (T,) float64, head sizes
    joints: np.ndarray  # (T, 16) float64
    counts: np.ndarray  # (16,) int64

    def mean(self, name: str) -> np.ndarray:
        """(T,) float64: one of `MEANS` at every threshold."""
        return _mean(name, self.joints, self.counts)

    def area(self, name: str) -> float:
        """The area under the curve of one of `MEANS`, as a share of the area of 100 % everywhere, in percent."""
        return float(trapezoid(self.mean(name), self.thresholds) / np.ptp(self.thresholds))


def _mean(name: str, percent: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(...) float64: one of `MEANS`, from the joints' percentages (..., 16) and how often each counts (16,)."""
    cells = []
    for cell in MEANS[name]:
        joints = [joint for joint in cell if counts[joint]]
        weights = counts[joints] / max(counts[joints].sum(), 1)
        cells.append(percent[..., joints] @ weights if joints else np.full(percent.shape[:-1], np.nan))
    return np.mean(cells, axis=0)


def pckh(distances: np.ndarray, threshold: float = 0.5) -> PCKh:
    """PCKh of distances (N, 16) in head sizes, NaN where a joint does not count."""
    counts = (~np.isnan(distances)).sum(axis=0)
    hits = (distances <= threshold).sum(axis=0)  # NaN is not within anything
    return PCKh(threshold, _percent(hits, counts), counts)


def pckh_curve(distances: np.ndarray, thresholds: np.ndarray | None = None) -> PCKhCurve:
    """`pckh` of distances (N, 16) at many thresholds at once: (T,), growing, by default 0 to 0.5 by 0.001."""
    if thresholds is None:
        thresholds = np.linspace(0, 0.5, 501)
    # The first threshold that each distance lies within, counted by joint, and summed up along the thresholds.
    first = np.searchsorted(thresholds, distances)  # NaN and infinity come behind the last
    bins = first + np.arange(len(JOINTS)) * (len(thresholds) + 1)
    found = np.bincount(bins.ravel(), minlength=len(JOINTS) * (len(thresholds) + 1))
    hits = found.reshape(len(JOINTS), -1)[:, :-1].cumsum(axis=1).T
    counts = (~np.isnan(distances)).sum(axis=0)
    return PCKhCurve(thresholds, _percent(hits, counts), counts)


def _percent(hits: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return np.divide(100.0 * hits, counts, out=np.full(hits.shape, np.nan), where=counts > 0)
