"""Drawn people with MPII-form annotations: what the project learns from where MPII itself cannot be had."""

from posekit.sample.scene import draw_person
from posekit.sample.write import make_sample

__all__ = ["draw_person", "make_sample"]
