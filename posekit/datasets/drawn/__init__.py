"""Drawn people with MPII-form annotations: what the project learns from where MPII itself cannot be had.

write        the whole data set as a folder
worker       a share of its images, in a process of its own
scene        one image with its annotation
pose_prior   where joints lie: a mixture fitted to real poses
body_3d      a pose in depth
body, head   the parts of a person, painted
appearance   skin, hair and clothes
background   what is behind
canvas       painting with smooth edges
"""

from posekit.datasets.drawn.scene import draw_person
from posekit.datasets.drawn.write import make_sample

__all__ = ["draw_person", "make_sample"]
