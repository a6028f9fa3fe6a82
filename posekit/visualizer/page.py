"""What `make app` shows: an own photograph first, then drawn people to browse. Nothing is trained for it."""

import ipywidgets as widgets
from filelock import FileLock

from posekit.datasets.drawn import make_sample
from posekit.datasets.mpii import read_mpii
from posekit.inference.predictor import OWN_NETWORK, SMALL_NETWORK, Predictor
from posekit.paths import home
from posekit.preprocessing.batches import make_crops
from posekit.visualizer.own_photograph import OwnPhotograph
from posekit.visualizer.people import Visualizer

#: So few people are drawn within seconds.
PEOPLE = 24


def photograph_page() -> widgets.Widget:
    """Joints in a photograph that a person chooses; what is saved goes to data/photographs/."""
    own = Predictor.own()
    predictors = {
        "posekit": own,
        "posekit-small (faster)": Predictor.from_checkpoint(SMALL_NETWORK, own.device, flip=True),
    }
    return OwnPhotograph(predictors, home() / "data" / "photographs").widget


def people_page() -> widgets.Widget:
    """Answers of posekit's own network for drawn people, beside their annotation. Missing people are drawn."""
    folder = home() / "data" / "app-people"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(".app-people-lock")):  # two pages at once draw once
        make_sample(folder, train=0, validation=PEOPLE, progress=False)
    own = Predictor.own()
    once = Predictor.from_checkpoint(OWN_NETWORK, own.device)
    crops = make_crops(read_mpii(folder, name="app"), own.rule, progress=False)
    return Visualizer(crops, {"posekit": own, "posekit, without flip test": once}).widget
