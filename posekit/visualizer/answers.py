"""What networks predict for the people of a data set: computed when needed, kept within a bound of memory."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from cachetools import LRUCache

from posekit.evaluation.evaluate import evaluate
from posekit.inference.predictor import Prediction, Predictor
from posekit.preprocessing.batches import Crops

#: People that are evaluated between two reports of progress.
PART = 32

#: Answers that are kept, bytes.
KEPT_BYTES = 256 * 2**20


def answer_bytes(stacks: list[Prediction]) -> int:
    """Bytes of the arrays of an answer; the crop is shared by its stacks."""
    own = sum(one.joints.nbytes + one.confidence.nbytes + one.heatmaps.nbytes for one in stacks)
    return own + stacks[0].crop.nbytes + stacks[0].matrix.nbytes


class Answers:
    """The answers of predictors, by name, for the people of `crops`.

    They take at most `KEPT_BYTES` of memory: what was not used for longest goes first.
    """

    def __init__(self, crops: Crops, predictors: dict[str, Predictor]) -> None:
        self.crops, self.predictors = crops, predictors
        self.kept = LRUCache(KEPT_BYTES, getsizeof=answer_bytes)
        self._errors: dict[str, np.ndarray] = {}

    def stacks(self, model: str, person: int) -> list[Prediction]:
        """What every stack answers for a person."""
        key = (model, person)
        if key not in self.kept:
            margin, size = self.crops.rule.margin, self.crops.rule.size
            middle = slice(margin, margin + size)
            crop = np.array(self.crops.images[person][middle, middle])
            self.kept[key] = self.predictors[model].predict_stacks(crop, self.crops.matrices[person])
        return self.kept[key]

    def errors(self, model: str, on_progress: Callable[[int, int], None]) -> np.ndarray:
        """(N, 16) float64: distances in head sizes of the network, NaN where a joint does not count.

        All people are predicted on the first call; on_progress hears how many of how many are done.
        """
        if model not in self._errors:
            predictor, total, found = self.predictors[model], len(self.crops), []
            for start in range(0, total, PART):
                which = np.arange(start, min(start + PART, total))
                part = replace(
                    self.crops,
                    people=self.crops.people.select(which),
                    images=self.crops.images[which],
                    matrices=self.crops.matrices[which],
                    joints=self.crops.joints[which],
                    present=self.crops.present[which],
                )
                found.append(evaluate(predictor.network, part, predictor.codec, predictor.device).distances)
                on_progress(int(which[-1]) + 1, total)
            self._errors[model] = np.concatenate(found)
        return self._errors[model]


def worst_first(errors: np.ndarray) -> np.ndarray:
    """Order (N,) of people by errors (N, K), largest mean first; people without any come last."""
    counted = ~np.isnan(errors)
    mean = np.nansum(errors, axis=1) / np.maximum(counted.sum(axis=1), 1)
    return np.argsort(np.where(counted.any(axis=1), -mean, np.inf), kind="stable")
