"""Sliders over pure functions: why is a prediction right or wrong, in a data set and in one's own photograph.

people           the visualizer of a data set
own_photograph   the visualizer of a photograph that a person chooses
page             both as the page that `make app` opens
controls         the sliders and lists that both share
rendering        what is shown, as a pure function of what is chosen
photograph       a chosen file, checked and decoded
answers          what networks predict, computed once each
joint_table      joints as a table
pane, upload     widgets with code of their own in JavaScript
"""

from posekit.visualizer.own_photograph import OwnPhotograph
from posekit.visualizer.people import Visualizer

__all__ = ["OwnPhotograph", "Visualizer"]
