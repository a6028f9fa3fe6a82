"""Networks that are compared by cost, and what they learn by: losses of scores, and a teacher's heatmaps."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from posekit.models.answers import HeatmapNetwork, likelihood, to_heatmaps
from posekit.models.hourglass import HourglassConfig, StackedHourglass
from posekit.preprocessing.crop import clip_box, crop_matrix, person_box
from posekit.study.configurations import get_model, get_size, run_config
from posekit.study.networks import NETWORKS
from posekit.training.losses import cross_entropy, squared_error
from posekit.training.step import Step, make_optimizer


def config_of(name: str):
    return run_config(get_model(name), get_size("short"), 0, "data", "0" * 16)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_trained_alike_but_for_what_they_say(name):
    ours, theirs = config_of(name), config_of("original")
    same = {"model", "network", "crop", "loss", "teacher"}
    if ours.network.family == "encoder":  # weights from ImageNet need rates of their own
        same |= {"optimizer", "schedule", "weight_decay", "encoder_rate", "start", "frozen"}
    assert {k: v for k, v in ours.to_dict().items() if k not in same} == {
        k: v for k, v in theirs.to_dict().items() if k not in same
    }
    assert theirs.network == HourglassConfig("original", 64, 2, 1, 4)
    assert ours.crop.columns == ours.network.columns
    assert not ours.teacher or ours.teacher in NETWORKS


def test_a_narrower_crop_shows_people_as_large_as_the_wide_one():
    """A person in the middle of a large image has the same size for all networks, so none has finer heatmaps."""
    wide, narrow = (config_of(name).crop for name in ("original", "rectangle"))
    center, size = np.array([1000.0, 900.0]), np.array([2000, 1800])
    zooms = [
        crop_matrix(clip_box(person_box(rule, center, np.array(2.0)), size), rule)[0, 0] for rule in (wide, narrow)
    ]
    assert zooms[0] == pytest.approx(zooms[1], rel=0.005)


def test_a_taught_loss_is_half_truth_and_half_teacher():
    torch.manual_seed(0)
    small = replace(config_of("original"), network=HourglassConfig("early", 16, 2, 1, 2))
    student, teacher = (StackedHourglass(small.network).train(mode) for mode in (True, False))
    for network in (student, teacher):
        network.eval()
    images, joints = torch.rand(2, 3, 64, 64), 64 * torch.rand(2, 16, 2)
    present = torch.ones(2, 16, dtype=torch.bool)
    step = Step(small, student, make_optimizer(small, student), teacher=teacher)
    target = small.codec.encode(joints, present, (16, 16))
    truth = sum(F.mse_loss(answer, target) for answer in student(images))
    taught = sum(F.mse_loss(answer, teacher(images)[-1]) for answer in student(images))
    loss = step.loss(images, joints, present)
    torch.testing.assert_close(loss, (truth + taught) / 2)
    loss.backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())


def test_cross_entropy_is_what_a_loop_over_cells_gives():
    torch.manual_seed(0)
    answers = [torch.randn(2, 16, 6, 5) for _ in range(2)]
    target = torch.rand(2, 16, 6, 5) - 0.2  # as a teacher answers: some cells below zero
    target[0, 3] = 0  # a joint that is not there
    expected = 0.0
    for scores in answers:
        values = []
        for person, joint in np.ndindex(2, 16):
            wanted = np.maximum(target[person, joint].double().numpy(), 0)
            if wanted.sum() > 0:
                found = np.exp(scores[person, joint].double().numpy())
                found /= found.sum()
                values.append(-(wanted / wanted.sum() * np.log(found)).sum())
        expected += np.mean(values)
    assert float(cross_entropy(answers, target)) == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_is_least_for_the_truth_which_has_the_entropy_of_a_bump():
    joints, present = torch.tensor([[[61.5, 61.5]] * 16]), torch.ones(1, 16, dtype=torch.bool)
    present[0, 5] = False
    target = get_size("short").codec.encode(joints, present, (32, 32))
    scores = target.clamp(min=1e-12).log().requires_grad_()
    loss = cross_entropy([scores], target)
    assert float(loss.detach()) == pytest.approx(np.log(2 * np.pi * np.e), abs=1e-3)  # of a Gaussian with sigma 1
    loss.backward()
    assert scores.grad.abs().max() < 1e-6  # nothing to learn, also not from the joint that is not there
    peaks = likelihood(scores.detach())[0].flatten(1).max(dim=1).values
    assert float(peaks[0]) == pytest.approx(1, abs=1e-3)


def test_cross_entropy_teaches_a_joint_whose_cell_is_taken_to_be_impossible():
    """40 nats behind, a likelihood is 4e-18: its logarithm by log_softmax still has a gradient."""
    scores = torch.zeros(1, 16, 8, 8)
    scores[0, :, 0, 0] = 40.0
    scores.requires_grad_()
    target = torch.zeros(1, 16, 8, 8)
    target[0, :, 5, 5] = 1.0
    loss = cross_entropy([scores], target)
    assert float(loss.detach()) == pytest.approx(40, abs=1e-3)
    loss.backward()
    torch.testing.assert_close(scores.grad[0, :, 5, 5], torch.full((16,), -1 / 16))


def test_unused_columns_have_no_likelihood_and_zero_heatmaps():
    torch.manual_seed(0)
    scores, target = torch.randn(2, 16, 6, 4), torch.rand(2, 16, 6, 6)
    assert float(cross_entropy([scores], target)) == pytest.approx(
        float(cross_entropy([scores], target[..., 1:5].contiguous()))
    )
    wide = F.pad(scores, (1, 1))
    assert float(squared_error([scores], target)) == pytest.approx(float(F.mse_loss(wide, target)))
    assert torch.equal(to_heatmaps(scores, likelihoods=False), wide)


def test_a_network_with_likelihoods_learns_by_cross_entropy_and_by_its_teacher():
    torch.manual_seed(0)
    small = replace(config_of("compact"), network=HourglassConfig("early", 16, 1, 1, 2))
    student, other = (StackedHourglass(small.network).eval() for _ in range(2))
    teacher = HeatmapNetwork(other, likelihoods=True)
    images, joints = torch.rand(2, 3, 64, 64), 64 * torch.rand(2, 16, 2)
    present = torch.ones(2, 16, dtype=torch.bool)
    step = Step(small, student, make_optimizer(small, student), teacher=teacher)
    truth = cross_entropy(student(images), small.codec.encode(joints, present, (16, 16)))
    taught = cross_entropy(student(images), likelihood(other(images)[-1]))
    torch.testing.assert_close(step.loss(images, joints, present), (truth + taught) / 2)
