"""Verdicts: by hand-made numbers that leave no doubt, and by those that do."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import CHECKOUT
from made_runs import make_run

from posekit.analysis import benchmark_records
from posekit.analysis.claims import claims_table, is_above, is_best, is_equal, is_first_step, is_no_loss
from posekit.analysis.optimizers import GRID_RATES, make_grid
from posekit.datasets.mpii import read_mpii
from posekit.errors import PosekitError
from posekit.evaluation.intervals import Comparison
from posekit.preprocessing.crop import CropRule, lost_joints
from posekit.skeleton import INDEX
from posekit.study.configurations import REPORT_MODELS, get_model

NAN = float("nan")
CROP = {
    "people": 10,
    "lost": {"200": {"ankles_lost": 40.0}, "210": {"ankles_lost": 30.0}},
    "saved": {"ankles": [10, 8, 12]},
}


def latency(low: float = 1.02, high: float = 1.08) -> pd.DataFrame:
    row = {"device": "cpu", "threads": 1, "batch": 1, "ratio": 1.05, "ratio low": low, "ratio high": high}
    return pd.DataFrame([row])


def difference(value: float, low: float, high: float, p: float = 0.5) -> Comparison:
    return Comparison(value, NAN, NAN, NAN, low, high, p)


UNKNOWN = Comparison(9, 8, 10, 0.0001, NAN, NAN, NAN)


def test_best_needs_every_rival_beaten_after_holm():
    clear, doubtful, lost = difference(5, 3, 7, 0.01), difference(5, -1, 11, 0.04), difference(-5, -7, -3, 0.01)
    assert is_best([clear, clear], complete=True) == "holds"
    assert is_best([clear, clear], complete=False) == "cannot be told"
    assert is_best([clear, difference(5, 0, 10, 0.06)], complete=True) == "cannot be told"
    assert is_best([doubtful] * 2, complete=True) == "cannot be told", "0.04 twice is 0.08"
    assert is_best([clear, lost], complete=True) == "does not hold"
    assert is_best([UNKNOWN], complete=True) == "cannot be told", "people alone are not enough"
    assert is_best([], complete=True) == "cannot be told"


def test_no_difference_found_is_not_yet_equality():
    assert is_equal(difference(0, -1, 1), margin=2) == "holds"
    assert is_equal(difference(0, -5, 5), margin=2) == "cannot be told"
    assert is_equal(difference(1, 0.5, 2.5), margin=2) == "cannot be told"
    assert is_equal(difference(-4, -5, -3), margin=2) == "does not hold"
    assert is_equal(UNKNOWN, margin=2) == "cannot be told"


def test_no_loss_is_about_one_side_alone():
    assert is_no_loss([difference(0, -1, 1), difference(5, 3, 7)], complete=True, margin=2) == "holds"
    assert is_no_loss([difference(0, -1, 1)], complete=False, margin=2) == "cannot be told"
    assert is_no_loss([difference(0, -3, 3)], complete=True, margin=2) == "cannot be told"
    assert is_no_loss([difference(5, 3, 7), difference(-4, -5, -3)], complete=True, margin=2) == "does not hold"


def test_an_interval_around_the_value_tells_nothing():
    assert is_above([(1.01, 1.1), (1.02, 1.2)], 1) == "holds"
    assert is_above([(1.01, 1.1), (0.99, 1.2)], 1) == "cannot be told"
    assert is_above([(1.01, 1.1), (0.9, 0.99)], 1) == "does not hold"


def test_the_first_step_needs_every_model_and_two_seeds():
    assert is_first_step({model: [True, True] for model in REPORT_MODELS}) == "holds"
    assert is_first_step({model: [True] for model in REPORT_MODELS}) == "cannot be told"
    assert is_first_step({"model-4": [True, False]}) == "cannot be told"
    assert is_first_step({"model-4": [False]}) == "cannot be told"
    assert is_first_step({"model-4": [False, False]}) == "does not hold"


def verdicts(runs, variations=(), **options) -> dict[str, str]:
    table = claims_table(runs, make_grid(runs, variations), options.get("latency", latency()), CROP)
    return dict(zip(table["claim"], table["verdict"], strict=True))


def only(found: dict[str, str], words: str) -> str:
    (verdict,) = [verdict for claim, verdict in found.items() if words in claim]
    return verdict


def test_one_seed_tells_nothing_about_accuracy():
    found = verdicts([make_run(number, 0.3 + 0.1 * number) for number in range(1, 7)])
    sure = {claim for claim, verdict in found.items() if verdict != "cannot be told"}
    assert (
        all(any(words in claim for words in ("115,520", "inference", "210")) for claim in sure) and len(sure) == 3
    )


def test_verdicts_follow_the_runs():
    """RMSprop behind at the report's rate, ahead at every equal one; no other claim is helped by it."""
    accuracy = {"RMSprop": 0.7, "RAdam": 0.5, "Adam": 0.6}
    seeds = (0, 1, 2)
    own = {1: 0.7, 2: 0.5, 3: 0.6, 4: 0.6, 5: 0.7, 6: 0.45}
    runs = [make_run(m, a, seed=s) for m, a in own.items() for s in seeds]
    variations = [
        make_run(
            m,
            accuracy[get_model(m).optimizer] - 0.2 * abs(np.log10(rate / 1e-3)) * (2.5 if m == 1 else 1),
            s,
            rate,
        )
        for m in (1, 2, 3)
        for rate in GRID_RATES
        if rate != 1e-3
        for s in seeds
    ]
    found = verdicts(runs, variations)
    assert only(found, "at the report's rates") == "does not hold"
    assert only(found, "own best rate") == "holds"
    assert only(found, "scheduler") == "holds"
    assert only(found, "does not lose") == "does not hold", "with Adam the reduced network is 15 points behind"
    assert only(found, "most accurate") == "cannot be told", "Models 1 and 5 are as good as each other"
    assert only(found, "biggest step") == "holds"


def test_a_best_rate_at_the_edge_decides_nothing():
    runs = [make_run(m, a, seed=s) for m, a in ((1, 0.7), (2, 0.5), (3, 0.6)) for s in (0, 1, 2)]
    higher = [make_run(m, 0.75, seed=s, rate=2e-3) for m in (1, 2, 3) for s in (0, 1, 2)]
    assert only(verdicts(runs, higher), "own best rate") == "cannot be told"


def test_latency_decides_about_inference():
    assert only(verdicts([make_run(1, 0.5)], latency=latency(0.9, 1.2)), "inference") == "cannot be told"
    assert only(verdicts([make_run(1, 0.5)], latency=latency(0.8, 0.9)), "inference") == "does not hold"


def test_the_record_of_latency_is_of_both_networks_in_turns():
    table = benchmark_records.latency()
    assert {(row.threads, row.batch) for row in table.itertuples() if row.device == "cpu"} >= {
        (threads, batch) for threads in (1, 2) for batch in (1, 16)
    }
    for name in ("original", "reduced", "ratio"):
        assert (table[f"{name} low"] <= table[name]).all() and (table[name] <= table[f"{name} high"]).all()


def test_a_missing_record_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_records, "_FOLDER", tmp_path)
    with pytest.raises(PosekitError, match=r"inference\.json.*python benchmarks/inference\.py --out"):
        benchmark_records.latency()
    (tmp_path / "crop.json").write_text("{")
    with pytest.raises(PosekitError, match=r"crop\.json cannot be read.*benchmarks/crop\.py"):
        benchmark_records.crop_audit()


def test_the_record_of_the_crop_is_what_mpii_says(mpii_folder):
    people = read_mpii(mpii_folder)
    record = json.loads((CHECKOUT / "data" / "benchmarks" / "crop.json").read_text())
    assert record["people"] == len(people) == 25_204
    for height in ("200", "210"):
        lost = lost_joints(CropRule(height=float(height)), people.center, people.scale, people.joints)
        both = [
            100 * lost[:, INDEX[name]].sum() / people.labelled[:, INDEX[name]].sum()
            for name in ("right ankle", "left ankle")
        ]
        assert record["lost"][height]["ankles_lost"] == pytest.approx(np.mean(both))
        assert record["lost"][height]["joints_lost"] == pytest.approx(100 * lost.sum() / people.labelled.sum())
