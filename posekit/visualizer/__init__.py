"""Sliders over pure functions: why is a prediction right or wrong, in a data set and in one's own photograph."""

from posekit.visualizer.own_photograph import OwnPhotograph
from posekit.visualizer.people import Visualizer

__all__ = ["OwnPhotograph", "Visualizer"]
