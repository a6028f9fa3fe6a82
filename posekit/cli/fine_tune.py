"""What `posekit train --from` does: a trained network learns on, and what it gained is printed."""

from pathlib import Path
from typing import TYPE_CHECKING

from posekit.errors import PosekitError

if TYPE_CHECKING:
    from posekit.datasets.people import People
    from posekit.study.fine_tuning import FineTuned

#: What --from takes for the network that comes with the package.
OWN = "own"


def start_of(start: str) -> tuple[str, Path]:
    """The model and the checkpoint that --from names. Raises `PosekitError` if there is no such checkpoint."""
    from posekit.inference.predictor import OWN_NETWORK
    from posekit.training.checkpoint import read_checkpoint
    from posekit.training.run_config import original_name

    path = OWN_NETWORK if start == OWN else Path(start)
    return original_name(read_checkpoint(path)["config"]["model"]), path


def fine_tune(start: Path, data: list[Path], *how: object) -> None:
    """Fine-tunes the network of the checkpoint `start` on the people of `data`, and prints scores and paths.

    how: seed, learning rate, batch size, device, precision, compiled, force of
    `posekit.study.fine_tuning.fine_tune`. Raises `PosekitError` as it does, and without data.
    """
    from posekit.datasets.sources import read_people
    from posekit.study import fine_tuning
    from posekit.training.distributed import is_leader

    if not data:
        raise PosekitError("--from needs --data, such as a .json file of COCO keypoints that you annotated")
    people, left_out = read_people(data, progress=is_leader())
    if is_leader():
        print(left_out or f"everybody of {people.name} is there")
        learning, kept = int((~people.validation).sum()), len(people.validation_sets()[0])
        print(f"{learning} people to learn from; {kept}, in other photographs, to judge it by")
    tuned = fine_tuning.fine_tune(people, start, *how, progress=is_leader())
    if is_leader():
        print(report(tuned, people))


def report(tuned: "FineTuned", people: "People") -> str:
    """Scores before and after, the paired gain, and where the network is."""
    before, after = tuned.scores
    gain, run = tuned.gain, tuned.run
    estimated = people.head_size_estimated[people.validation].all()
    scores = [
        f"  {name:7s} {score.estimate:5.1f} %  (95 % interval {score.low:.1f} to {score.high:.1f})"
        for name, score in (("before", before), ("after", after))
    ]
    unclear = not (gain.low > 0 or gain.high < 0)
    lines = [
        f"started from weights {run.config.start}, {len(run.history)} epochs, {run.environment['precision']} on "
        f"{run.environment['device']}",
        f"{tuned.metric}, weighted14, of {len(tuned.after)} people that it did not learn from"
        + (" (head sizes are estimated from their joints):" if estimated else ":"),
        *scores,
        f"  gain    {gain.difference:+5.1f} points (95 % interval {gain.low:+.1f} to {gain.high:+.1f}, paired "
        f"over people; p = {gain.p:.4f})",
        *(["  The interval includes zero: annotate more people to see whether it gains."] if unclear else []),
        f"network: {tuned.checkpoint}",
        f"  posekit predict photo.jpg --checkpoint {tuned.checkpoint}",
    ]
    return "\n".join(lines)
