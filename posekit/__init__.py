"""A study of single-person human pose estimation with Stacked Hourglass networks, and a network to use.

    import posekit

    predictor = posekit.Predictor.own()
    answer = predictor.predict_box(posekit.read_image("photo.jpg"), box=(50, 20, 220, 400))
    answer.joints  # (16, 2), pixels of the photograph

What is named here is imported when it is first used, because torch takes seconds to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posekit.datasets.images import read_image as read_image
    from posekit.errors import PosekitError as PosekitError
    from posekit.evaluation.pckh import pckh as pckh
    from posekit.inference.predictor import Predictor as Predictor
    from posekit.study.study import Study as Study

__version__ = "0.1.0"

_FACE = {
    "PosekitError": "posekit.errors",
    "Predictor": "posekit.inference.predictor",
    "Study": "posekit.study.study",
    "pckh": "posekit.evaluation.pckh",
    "read_image": "posekit.datasets.images",
}

__all__ = [*_FACE]


def __getattr__(name: str) -> Any:
    if name not in _FACE:
        raise AttributeError(f"module 'posekit' has no attribute {name!r}; it offers {', '.join(_FACE)}")
    return getattr(import_module(_FACE[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *_FACE]
