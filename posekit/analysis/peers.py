"""The networks included in posekit and public ones, on the same people and joints: from prediction files.

data/peers/ holds the files, and its README their sources: mpii_validation.csv (what the public networks found),
truth.csv (MPII's annotation of these people), networks.csv (facts about the networks), own/ (what posekit's
networks found, written by `posekit evaluate --export`). Times that were measured together on one machine are in
the record of benchmarks/peers.py.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from posekit.analysis.answer_figures import confidence_table
from posekit.analysis.benchmark_records import times_of_peers
from posekit.analysis.texts import difference_text
from posekit.errors import PosekitError
from posekit.evaluation.intervals import compare, interval
from posekit.evaluation.pckh import head_distances, pckh
from posekit.models.build import build_network
from posekit.models.cost import count_parameters
from posekit.paths import PACKAGE, REPOSITORY
from posekit.skeleton import GROUPS, INDEX, JOINTS, SCORED
from posekit.training.checkpoint import read_checkpoint
from posekit.training.run_config import RunConfig

FOLDER = REPOSITORY / "data" / "peers"

#: The joints that every network answers with, counted together: a name of `posekit.evaluation.pckh.MEANS`.
TWELVE = "weighted12"

#: What the file of a network's answers with the flip test adds to its name.
FLIPPED = "-flip"

#: The network that all others are compared with: posekit's own without the flip test, like the others.
BASELINE = "posekit"

#: Seconds and ratio of a network whose time was not measured.
_NOT_MEASURED = (np.nan, np.nan)


@dataclass(frozen=True)
class Peer:
    """A network and its answers for the people of truth.csv.

    distances (N, 16) float64 head sizes: NaN where a joint is not annotated, infinite where the network has no
    such joint; confidence (N, 16) float64, None where the file has none. parameters and ms are text for people, ""
    where unknown; input_px is the side of its crop. ms of a public network was recorded on another machine; ratio,
    measured in turns with `BASELINE`, is how many times as long the network takes for one crop, NaN where it was
    not measured.
    """

    name: str
    distances: np.ndarray
    confidence: np.ndarray | None
    parameters: str
    input_px: str
    ms: str
    ratio: float
    own: bool


@dataclass(frozen=True)
class Truth:
    """MPII's annotation of N people: person (N,) int, number among all validation people; image (N,) str; joints
    (N, 16, 2) float64 image px, NaN where not annotated; head_size (N,) float64 image px."""

    person: np.ndarray
    image: np.ndarray
    joints: np.ndarray
    head_size: np.ndarray


@cache
def truth() -> Truth:
    """The people that all networks are compared on. Raises `PosekitError` if the file is not whole."""
    table = _read(FOLDER / "truth.csv", ["person", "image", "head_size", "joint", "x", "y"])
    persons = table["person"].unique()
    joints = _of_joints(table, ["x", "y"], persons, FOLDER / "truth.csv")
    of_people = table.groupby("person", sort=False)[["image", "head_size"]].first()
    return Truth(persons, of_people["image"].to_numpy(str), joints, of_people["head_size"].to_numpy(float))


def peers() -> list[Peer]:
    """The public networks, then posekit's own, each with its answers.

    Raises `PosekitError` naming a file that is missing, incomplete or about other people.
    """
    facts = _read(FOLDER / "networks.csv", ["network", "name", "parameters", "input_px", "ms"]).fillna("")
    answers = _read(FOLDER / "mpii_validation.csv", ["network", "person", "joint", "x", "y"])
    found, times = [], times_of_peers()
    for fact in facts.itertuples():
        of_network = answers[answers["network"] == fact.network]
        joints = _of_joints(of_network, ["x", "y"], truth().person, f"network {fact.network}")
        distances = head_distances(joints, truth().joints, truth().head_size)
        text = (fact.parameters, str(fact.input_px), str(fact.ms))
        _, ratio = times.get(fact.network, _NOT_MEASURED)
        found.append(Peer(fact.name, distances, None, *text, ratio, own=False))
    own = sorted((FOLDER / "own").glob("*.csv"))
    if not own:
        raise PosekitError(
            f"there are no answers of posekit's networks in {FOLDER / 'own'}; see {FOLDER}/README.md"
        )
    return found + [_own(path, *times.get(path.stem, _NOT_MEASURED)) for path in own]


def peers_table(networks: list[Peer]) -> pd.DataFrame:
    """A row per network, the best on 12 joints first; all numbers in percent or points of PCKh@0.5.

    network, own (bool), parameters, input_px, ms, ratio; pckh12 with its 95 % interval over people (low, high);
    difference, difference_low, difference_high, p: minus `BASELINE` on the same people, paired; pckh14
    (weighted14), NaN for a network without head and neck; then the groups of the 12 joints, shoulder to ankle.
    """
    baseline = next((peer for peer in networks if peer.own and peer.name == BASELINE), None)
    if baseline is None:
        raise PosekitError(f"there is no {FOLDER / 'own' / BASELINE}.csv; see {FOLDER}/README.md")
    rows = []
    for peer in networks:
        twelve, minus = interval(peer.distances, TWELVE), compare(peer.distances, baseline.distances, TWELVE)
        itself = peer is baseline
        score = pckh(peer.distances)
        head = peer.distances[:, INDEX["head top"]]
        rows.append(
            {
                "network": peer.name,
                "own": peer.own,
                "parameters": peer.parameters,
                "input_px": peer.input_px,
                "ms": peer.ms,
                "ratio": peer.ratio,
                "pckh12": twelve.estimate,
                "low": twelve.low,
                "high": twelve.high,
                "difference": np.nan if itself else minus.difference,
                "difference_low": np.nan if itself else minus.low,
                "difference_high": np.nan if itself else minus.high,
                "p": np.nan if itself else minus.p,
                "pckh14": np.nan if np.isinf(head[~np.isnan(head)]).all() else score.weighted14,
                **{group: score.mean(group) for group in GROUPS if group != "head"},
            }
        )
    return pd.DataFrame(rows).sort_values("pckh12", ascending=False, ignore_index=True)


def described_peers(table: pd.DataFrame, joints: bool = False) -> pd.DataFrame:
    """`peers_table` as text for readers; joints: with all columns, also those of 14 joints and of each group."""
    rows = []
    for row in table.itertuples():
        text = {"network": f"**{row.network}**" if row.own else row.network, "parameters": row.parameters}
        if joints:
            text["input, px"] = row.input_px
        text["12 joints, % (95 %)"] = f"{row.pckh12:.1f} ({row.low:.1f} to {row.high:.1f})"
        if joints:
            minus = difference_text(row.difference, row.difference_low, row.difference_high)
            text[f"minus {BASELINE}, points (95 %)"] = minus
            text["14 joints, %"] = "" if pd.isna(row.pckh14) else f"{row.pckh14:.1f}"
            text |= {f"{group}, %": f"{getattr(row, group):.1f}" for group in GROUPS if group != "head"}
        text["time per crop"] = _time(row.network, row.ms, row.ratio)
        rows.append(text)
    return pd.DataFrame(rows)


def _time(network: str, ms: str, ratio: float) -> str:
    if network == BASELINE and ms:
        return f"{ms} ms"
    if not np.isnan(ratio):
        return f"{ratio:.2g} x {BASELINE}"
    return f"{ms} ms, as recorded" if ms else ""


def worth_of_confidence(networks: list[Peer]) -> pd.DataFrame:
    """`posekit.analysis.answer_figures.confidence_table` of `BASELINE`, for people: the 14 joints that count."""
    network = next(peer for peer in networks if peer.name == BASELINE)
    table = confidence_table(network.distances[:, SCORED], network.confidence[:, SCORED])
    return table.assign(**{"found, %": table["found, %"].map("{:.0f}".format)}).reset_index()


def _own(path: Path, seconds: float, ratio: float) -> Peer:
    """One of posekit's networks: its answers from a file, parameters and input from its checkpoint."""
    table = _read(path, ["person", "image", "joint", "x", "y", "confidence"])
    joints = _of_joints(table, ["x", "y", "confidence"], np.arange(len(truth().person)), path)
    images = table.groupby("person")["image"].first().to_numpy(str)
    if not np.array_equal(images, truth().image):
        raise PosekitError(
            f"{path} is about other people than {FOLDER / 'truth.csv'}; write it again, see README.md"
        )
    name = path.stem.removesuffix(FLIPPED)
    config = RunConfig.from_dict(read_checkpoint(PACKAGE / "networks" / f"{name}.pt")["config"])
    return Peer(
        name=f"{name}, flip test" if path.stem.endswith(FLIPPED) else name,
        distances=head_distances(joints[..., :2], truth().joints, truth().head_size),
        confidence=joints[..., 2],
        parameters=f"{count_parameters(build_network(config.network)) / 1e6:.2f} M",
        input_px=str(config.crop.size),
        ms="" if np.isnan(seconds) else f"{1e3 * seconds:.0f}",
        ratio=ratio,
        own=True,
    )


def _of_joints(table: pd.DataFrame, columns: list[str], persons: np.ndarray, source: object) -> np.ndarray:
    """(N, 16, columns) float64: columns of a table for the joints of these persons; NaN where there is no row."""
    places = pd.Series(np.arange(len(persons)), persons)
    row, joint = table["person"].map(places), table["joint"].map(INDEX)
    if set(table["person"]) != set(persons.tolist()) or joint.isna().any():
        raise PosekitError(
            f"{source} is not about the {len(persons)} people of {FOLDER / 'truth.csv'}; fetch it again"
        )
    found = np.full((len(persons), len(JOINTS), len(columns)), np.nan)
    found[row.to_numpy(int), joint.to_numpy(int)] = table[columns].to_numpy(float)
    return found


def _read(path: Path, columns: list[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise PosekitError(f"{path} cannot be read as a .csv file ({error}); fetch it again") from error
    if absent := [column for column in columns if column not in table]:
        raise PosekitError(f"{path} has no column {absent[0]!r}; fetch it again")
    return table
