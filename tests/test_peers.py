"""Public networks and posekit's own on the same people: against the numbers that were published with the files."""

import numpy as np
import pandas as pd
import pytest
from conftest import CHECKOUT
from typer.testing import CliRunner

from posekit.analysis import peers as peers_module
from posekit.analysis.peers import FOLDER, TWELVE, described_peers, peers, peers_table, truth
from posekit.cli.cli import app
from posekit.errors import PosekitError
from posekit.evaluation.pckh import MEANS, pckh
from posekit.skeleton import JOINTS

#: PCKh@0.5 on 12 joints, and weighted14 where a network has head and neck, as measured by another program when the
#: files were made; coordinates in the files are rounded, so a joint or two may fall on the other side.
PUBLISHED = {
    "EfficientPose II-Lite": (89.1, 90.1),
    "EfficientPose I": (84.8, 86.2),
    "EfficientPose RT": (84.5, 86.0),
    "MoveNet Thunder": (79.9, None),
    "MoveNet Lightning": (78.8, None),
    "BlazePose full": (73.3, None),
    "BlazePose lite": (66.5, None),
}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return peers_table(peers()).set_index("network")


@pytest.mark.parametrize("name", PUBLISHED)
def test_public_networks_have_their_published_numbers(table, name):
    twelve, fourteen = PUBLISHED[name]
    assert table.pckh12[name] == pytest.approx(twelve, abs=0.12)
    if fourteen is None:
        assert np.isnan(table.pckh14[name])
    else:
        assert table.pckh14[name] == pytest.approx(fourteen, abs=0.12)


def test_twelve_joints_are_those_of_the_limbs():
    (cell,) = MEANS[TWELVE]
    names = {JOINTS[joint] for joint in cell}
    assert len(cell) == 12
    assert names == set(JOINTS) - {"pelvis", "thorax", "upper neck", "head top"}


def test_differences_are_paired_and_minus_the_networks_own_answers(table):
    baseline = table.loc[peers_module.BASELINE]
    assert np.isnan(baseline.difference)
    others = table.drop(index=peers_module.BASELINE)
    np.testing.assert_allclose(others.difference, others.pckh12 - baseline.pckh12, atol=1e-9)
    assert (others.difference_low < others.difference).all() and (others.difference < others.difference_high).all()
    assert (table.low < table.pckh12).all() and (table.pckh12 < table.high).all()


def test_a_prediction_file_scores_what_the_command_evaluate_prints(table):
    """`weighted14` of a file of own answers, computed joint by joint from the files alone."""
    answers = pd.read_csv(FOLDER / "own" / "posekit.csv")
    truth = pd.read_csv(FOLDER / "truth.csv")
    assert (
        answers["joint"].tolist() == truth["joint"].tolist()
        and answers["image"].tolist() == truth["image"].tolist()
    )
    far = np.hypot(answers["x"] - truth["x"], answers["y"] - truth["y"]) / truth["head_size"]
    counted = truth["x"].notna() & ~truth["joint"].isin(["pelvis", "thorax"])
    assert 100 * (far[counted] <= 0.5).mean() == pytest.approx(table.pckh14["posekit"])


def test_the_truth_is_mpiis(mpii):
    people = mpii.split()[1]
    ours = truth()
    assert len(ours.person) == 129 and people.image[ours.person].tolist() == ours.image.tolist()
    np.testing.assert_allclose(ours.joints, people.joints[ours.person], atol=1e-3)
    np.testing.assert_allclose(ours.head_size, people.head_size[ours.person], atol=1e-3)


def test_committed_tables_are_those_of_the_files(monkeypatch, tmp_path):
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path))
    result = CliRunner().invoke(app, ["showcase", "--no-pictures"])
    assert result.exit_code == 0, result.output
    for name in ("peers.md", "peers_by_joint.md", "peers.csv"):
        made, committed = tmp_path / "figures" / "showcase" / name, CHECKOUT / "figures" / "showcase" / name
        assert made.read_text() == committed.read_text(), "run posekit showcase"


def test_a_measured_time_is_a_multiple_of_posekits_and_a_recorded_one_says_so(table):
    measured = table.assign(ratio=np.where(table.index == "BlazePose full", 1.44, np.nan))
    text = described_peers(measured.reset_index()).set_index("network")["time per crop"]
    assert text["BlazePose full"] == "1.4 x posekit" and text["EfficientPose RT"] == "18 ms, as recorded"
    assert text["MoveNet Thunder"] == ""


def test_a_network_without_some_joints_has_no_mean_of_all(table):
    blaze = next(peer for peer in peers() if peer.name == "BlazePose full")
    assert pckh(blaze.distances).joints[JOINTS.index("head top")] == 0
    text = described_peers(table.reset_index(), joints=True).set_index("network")
    assert text["14 joints, %"]["BlazePose full"] == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.replace("014249554.jpg", "other.jpg"), "posekit.csv is about other people"),
        (lambda rows: rows[: len(rows) // 2], "posekit.csv is not about the 129 people"),
        (lambda rows: rows.replace("person", "somebody", 1), "has no column 'person'"),
    ],
)
def test_answers_about_other_people_are_refused(monkeypatch, tmp_path, change, message):
    for name in ("networks.csv", "mpii_validation.csv", "truth.csv"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "posekit.csv").write_text(change((FOLDER / "own" / "posekit.csv").read_text()))
    monkeypatch.setattr(peers_module, "FOLDER", tmp_path)
    with pytest.raises(PosekitError, match=message):
        peers()
