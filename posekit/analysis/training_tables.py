"""Tables of a study's trainings: what each model is, what it reached and what it took."""

from collections.abc import Sequence

import pandas as pd

from posekit.study.configurations import REPORT_MODELS
from posekit.study.runs import Run


def report_models_table() -> pd.DataFrame:
    """The six models of the report: network, optimizer and schedule of the learning rate."""
    rows = [
        {
            "model": model.title,
            "network": model.stem,
            "optimizer": model.optimizer,
            "learning rate": model.schedule,
        }
        for model in REPORT_MODELS.values()
    ]
    return pd.DataFrame(rows).set_index("model")


def reached_table(runs: Sequence[Run]) -> pd.DataFrame:
    """A row per run, after its last epoch: losses, PCKh@0.5 weighted14 (%), seconds per epoch; then the floors.

    The floors are the loss of answering zero everywhere, and the PCKh of answering the mean pose for everybody.
    """
    rows = []
    for run in runs:
        last = run.history.iloc[-1]
        rows.append(
            {
                "": run.label,
                "training loss": f"{last.train_loss:.4f}",
                "validation loss": f"{last.validation_loss:.4f}",
                "PCKh@0.5 (%)": f"{last.pckh_weighted14:.1f}",
                "seconds per epoch": f"{run.history.seconds.mean():.0f}",
            }
        )
    floors = runs[0].floors
    rows.append(
        {
            "": "without a network (floors)",
            "training loss": f"{floors['zero_heatmap_train']:.4f}",
            "validation loss": f"{floors['zero_heatmap_validation']:.4f}",
            "PCKh@0.5 (%)": f"{floors['mean_pose_weighted14']:.1f}",
            "seconds per epoch": "",
        }
    )
    return pd.DataFrame(rows).set_index("").rename_axis(None)


def history_table(run: Run) -> pd.DataFrame:
    """A row per epoch of a run: losses, PCKh@0.5 weighted14, learning rate and time."""
    history = run.history.set_index("epoch")
    return pd.DataFrame(
        {
            "training loss": history["train_loss"].round(4),
            "validation loss": history["validation_loss"].round(4),
            "PCKh@0.5 (%)": history["pckh_weighted14"].round(1),
            "learning rate": history["learning_rate"],
            "seconds": history["seconds"].round(0).astype(int),
        }
    )
