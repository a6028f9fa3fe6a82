"""Drawn people with MPII-form annotations: training data where MPII itself is not available.

write        the whole data set as a folder
worker       its images, drawn in several processes
scene        one image with its annotation
pose_prior   where joints lie: a mixture fitted to real poses
body_3d      a pose in depth
placed       a pose in an image, and which joints stay visible
body, head   the parts of a person, painted
appearance   skin, hair and clothes
background, outdoors, indoors, shapes   what is behind
canvas       painting with smooth edges
"""

from posekit.datasets.drawn.scene import draw_person
from posekit.datasets.drawn.write import make_sample

__all__ = ["draw_person", "make_sample"]
