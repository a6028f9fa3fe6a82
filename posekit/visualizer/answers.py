"""What networks predict for the people of a data set: computed when needed, kept within a bound of memory."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from cachetools import LRUCache

from posekit.evaluation.evaluate import evaluate
from posekit.inference.predictor import Prediction, Predictor
from posekit.preprocessing.batches import Crops

#: People that are evaluated between two reports of progress.
PART = 32


def answer_bytes(stacks: list[Prediction]) -> int:
    """Bytes of the arrays of an answer; the crop is shared by its stacks."""
    own = sum(one.joints.nbytes + one.confidence.nbytes + one.heatmaps.nbytes for one in stacks)
    return own + stacks[0].crop.nbytes + stacks[0].matrix.nbytes


def network_bytes(predictor: Predictor) -> int:
    return sum(tensor.nbytes for tensor in predictor.network.state_dict().values())


class Answers:
    """The answers of predictors, by name, for the people of `crops`; of earlier epochs too if there are snapshots.

    snapshots: for a name, epoch -> checkpoint file. Answers take at most
    `kept_bytes` of memory, networks of snapshots as much again: what was not used for longest goes first.
    """

    def __init__(
        self,
        crops: Crops,
        predictors: dict[str, Predictor],
        snapshots: dict[str, dict[int, Path]] | None = None,
        kept_bytes: int = 256 * 2**20,
    ) -> None:
        self.crops, self.predictors = crops, predictors
        self.snapshots = snapshots or {}
        self.kept = LRUCache(kept_bytes, getsizeof=answer_bytes)
        self.networks = LRUCache(kept_bytes, getsizeof=network_bytes)
        self._errors: dict[str, np.ndarray] = {}

    def epochs(self, model: str) -> list[int]:
        """The epochs that can be shown, rising; empty if the run kept no snapshots."""
        return sorted(self.snapshots.get(model, {}))

    def stacks(self, model: str, epoch: int | None, person: int) -> list[Prediction]:
        """What every stack answers for a person; epoch None is the trained network.

        Raises `PosekitError` if the snapshot of the epoch cannot be read.
        """
        key = (model, epoch, person)
        if key in self.kept:
            return self.kept[key]
        margin, size = self.crops.rule.margin, self.crops.rule.size
        middle = slice(margin, margin + size)
        crop = np.array(self.crops.images[person][middle, middle])
        stacks = self._predictor(model, epoch).predict_stacks(crop, self.crops.matrices[person])
        return _keep(self.kept, key, stacks, answer_bytes)

    def errors(self, model: str, on_progress: Callable[[int, int], None]) -> np.ndarray:
        """(N, 16) float64: distances in head sizes of the trained network, NaN where a joint does not count.

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

    def _predictor(self, model: str, epoch: int | None) -> Predictor:
        if epoch is None:
            return self.predictors[model]
        if (model, epoch) in self.networks:
            return self.networks[model, epoch]
        loaded = Predictor.from_checkpoint(self.snapshots[model][epoch], self.predictors[model].device)
        return _keep(self.networks, (model, epoch), loaded, network_bytes)


def _keep(cache: LRUCache, key: tuple, value: object, size: Callable) -> object:
    """Keeps a value unless it alone is more than the cache may hold."""
    if size(value) <= cache.maxsize:
        cache[key] = value
    return value


def worst_first(errors: np.ndarray) -> np.ndarray:
    """Order (N,) of people by errors (N, K), largest mean first; people without any come last."""
    counted = ~np.isnan(errors)
    mean = np.nansum(errors, axis=1) / np.maximum(counted.sum(axis=1), 1)
    return np.argsort(np.where(counted.any(axis=1), -mean, np.inf), kind="stable")
