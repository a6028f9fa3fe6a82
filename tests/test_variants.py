"""Variants of the original network: profiles, learning from a teacher, the table of cost and accuracy."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from posekit.study.variants import VARIANTS
from torch.nn import functional as F

from posekit.models.answers import likelihood
from posekit.models.hourglass import HourglassConfig, StackedHourglass
from posekit.preprocessing.crop import clip_box, crop_matrix, person_box
from posekit.study.configurations import OWN_MODEL, VARIANT_SIZES, get_size, run_config
from posekit.training.losses import cross_entropy
from posekit.training.step import Step, make_optimizer


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_differs_from_the_original_in_what_it_says(name):
    original, profile = get_size("short-original"), get_size(f"short-{name}")
    ours, theirs = (run_config(OWN_MODEL, p, 0, "data", "0" * 16) for p in (profile, original))
    assert ours.network == replace(theirs.network, **VARIANTS[name].levers)
    assert theirs.network == HourglassConfig("original", 64, 2, 1, 4)
    same = {"network", "crop", "profile", "teacher"}
    assert {k: v for k, v in ours.to_dict().items() if k not in same} == {
        k: v for k, v in theirs.to_dict().items() if k not in same
    }
    assert ours.crop.columns == ours.network.columns
    assert not ours.teacher or ours.teacher in VARIANT_SIZES


def test_a_narrower_crop_shows_people_as_large_as_the_wide_one():
    """Somebody in the middle of a large image has the same size in all variants, so none has finer heatmaps."""
    wide, narrow = (get_size(f"short-{name}").crop for name in ("original", "rectangle"))
    center, size = np.array([1000.0, 900.0]), np.array([2000, 1800])
    zooms = [
        crop_matrix(clip_box(person_box(rule, center, np.array(2.0)), size), rule)[0, 0] for rule in (wide, narrow)
    ]
    assert zooms[0] == pytest.approx(zooms[1], rel=0.005)


def test_a_taught_loss_is_half_truth_and_half_teacher():
    torch.manual_seed(0)
    config = run_config(OWN_MODEL, get_size("short-small"), 0, "data", "0" * 16)
    small = replace(config, network=HourglassConfig("early", 16, 2, 1, 2))
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
    answers = [likelihood(torch.randn(2, 16, 6, 5)) for _ in range(2)]
    target = torch.rand(2, 16, 6, 5) - 0.2  # as a teacher answers: some cells below zero
    target[0, 3] = 0  # a joint that is not there
    expected = 0.0
    for heatmaps in answers:
        values = []
        for person, joint in np.ndindex(2, 16):
            wanted = np.maximum(target[person, joint].double().numpy(), 0)
            if wanted.sum() > 0:
                found = heatmaps[person, joint].double().numpy() / heatmaps[person, joint].double().sum().item()
                values.append(-(wanted / wanted.sum() * np.log(found)).sum())
        expected += np.mean(values)
    assert float(cross_entropy(answers, target)) == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_is_least_for_the_truth_which_has_the_entropy_of_a_bump():
    joints, present = torch.tensor([[[61.5, 61.5]] * 16]), torch.ones(1, 16, dtype=torch.bool)
    present[0, 5] = False
    target = get_size("short-compact").codec.encode(joints, present, (32, 32))
    scores = target.clamp(min=1e-12).log().requires_grad_()
    loss = cross_entropy([likelihood(scores)], target)
    assert float(loss.detach()) == pytest.approx(np.log(2 * np.pi * np.e), abs=1e-3)  # of a Gaussian with sigma 1
    loss.backward()
    assert scores.grad.abs().max() < 1e-6  # nothing to learn, also not from the joint that is not there
    peaks = likelihood(scores.detach())[0].flatten(1).max(dim=1).values
    assert float(peaks[0]) == pytest.approx(1, abs=1e-3)


def test_a_softmax_network_learns_by_cross_entropy_and_by_its_teacher():
    torch.manual_seed(0)
    config = run_config(OWN_MODEL, get_size("short-compact"), 0, "data", "0" * 16)
    small = replace(config, network=HourglassConfig("early", 16, 1, 1, 2, softmax=True))
    student, teacher = (StackedHourglass(small.network).eval() for _ in range(2))
    images, joints = torch.rand(2, 3, 64, 64), 64 * torch.rand(2, 16, 2)
    present = torch.ones(2, 16, dtype=torch.bool)
    step = Step(small, student, make_optimizer(small, student), teacher=teacher)
    truth = cross_entropy(student(images), small.codec.encode(joints, present, (16, 16)))
    taught = cross_entropy(student(images), teacher(images)[-1])
    torch.testing.assert_close(step.loss(images, joints, present), (truth + taught) / 2)
