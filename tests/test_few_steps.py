"""Heatmaps while a network learns: after as many steps as were asked for, from the run's own seed."""

from dataclasses import replace

import numpy as np
import torch
from tables import TINY

from posekit.preprocessing.batches import batches, make_crops, without_context
from posekit.study.configurations import get_model, run_config
from posekit.study.study import Study
from posekit.training.few_steps import heatmaps_while_learning
from posekit.training.step import Step, make_network, make_optimizer

CPU = torch.device("cpu")


def test_the_last_heatmaps_are_those_of_a_network_that_took_all_steps(tiny_study: Study, tmp_path):
    people = tiny_study.validation_people[0].select(np.arange(3))
    config = run_config(get_model(3), TINY, 0, "drawn", "0" * 16)
    crops = make_crops(people, config.crop, tmp_path, progress=False)
    for loss in ("squared error", "cross-entropy"):
        asked = replace(config, loss=loss)
        first, second, last = heatmaps_while_learning(asked, crops, (0, 0, 4), CPU)
        assert first.shape == (3, 16, 8, 8)
        np.testing.assert_array_equal(first, second)
        network = make_network(asked, CPU)
        step = Step(asked, network, make_optimizer(asked, network))
        batch = without_context(next(batches(crops, 3, CPU)), crops.rule)
        for _ in range(4):
            step(batch)
        with torch.no_grad():
            scores = network(batch.images)[-1]
        if loss == "cross-entropy":
            scores = 2 * np.pi * scores.flatten(2).softmax(dim=2).view_as(scores)
        np.testing.assert_allclose(last, scores.numpy(), rtol=1e-3, atol=1e-5)
