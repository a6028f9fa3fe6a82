"""Verdicts: by hand-made numbers that leave no doubt, and by those that do."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import CHECKOUT
from made_runs import make_run

from posekit.analysis import benchmark_records
from posekit.analysis.claims import Claim, claims_table, differences_table, judge_claims, verdicts_by_study
from posekit.analysis.judging import points
from posekit.analysis.optimizers import make_grid
from posekit.analysis.results import Results
from posekit.errors import PosekitError
from posekit.evaluation.intervals import compare
from posekit.preprocessing.crop import CropRule, lost_joints
from posekit.skeleton import INDEX
from posekit.study.configurations import REPORT_RATES, SIZES
from posekit.study.runs import Run
from posekit.study.seeds import Seeds

CROP = {
    "people": 10,
    "lost": {"200": {"ankles_lost": 40.0}, "210": {"ankles_lost": 30.0}},
    "saved": {"ankles": [10, 8, 12]},
}


def latency(low: float = 1.02, high: float = 1.08) -> pd.DataFrame:
    row = {"device": "cpu", "threads": 1, "batch": 1, "ratio": 1.05, "ratio low": low, "ratio high": high}
    return pd.DataFrame([row])


LATENCY = latency()


def judged(runs, others=(), latency=LATENCY, grid=()) -> dict[str, Claim]:
    results = Results("made", runs, others, make_grid(grid, []), "made")
    return {claim.claim: claim for claim in judge_claims(results, latency, CROP)}


def only(found: dict[str, Claim], words: str) -> Claim:
    (claim,) = [claim for name, claim in found.items() if words in name]
    return claim


def six(accuracy: dict[int, float], seeds=(0, 1, 2), lsp: dict[int, float] | None = None) -> list[Run]:
    rates = {1: 2.5e-4, 5: 2.5e-4}  # the report's, which are not those of the size that `make_run` takes
    lsp = lsp or {}
    return [make_run(n, a, s, rates.get(n), lsp=lsp.get(n)) for n, a in accuracy.items() for s in seeds]


@pytest.fixture(autouse=True)
def rates_of_the_report(monkeypatch):
    """The size of the made runs takes the report's rates."""
    monkeypatch.setitem(SIZES, "quick", replace(SIZES["quick"], learning_rates=REPORT_RATES))


def test_one_seed_decides_no_claim_and_the_missing_runs_are_named():
    found = judged(six({n: 0.3 + 0.1 * n for n in range(1, 7)}, seeds=(0,)))
    sure = [name for name, claim in found.items() if claim.verdict != "undecided"]
    assert len(sure) == 3 and all(any(w in name for w in ("115,520", "inference", "210")) for name in sure)
    claim = only(found, "at the report's rates")
    assert claim.missing == ("Model 1 at 0.00025: seeds 1, 2", "Models 2, 3 at 0.001: seeds 1, 2")
    assert "missing runs: Model 1 at 0.00025: seeds 1, 2" in claim.would_decide
    assert only(found, "0.00025 for all").missing == (
        "Model 1 at 0.00025: seed 1",
        "Models 2, 3 at 0.00025: seeds 0, 1",
    )


def test_verdicts_follow_the_runs():
    """RMSprop is ahead of RAdam and behind Adam at the report's rates, and ahead of both at one rate."""
    runs = six({1: 0.6, 2: 0.5, 3: 0.7, 4: 0.7, 5: 0.6, 6: 0.55})
    others = [make_run(n, 0.4, s, 2.5e-4) for n in (2, 3) for s in (0, 1)]
    found = judged(runs, others)
    assert only(found, "at the report's rates").verdict == "does not hold"
    assert only(found, "0.00025 for all").verdict == "holds"
    assert only(found, "scheduler").verdict == "holds"
    assert only(found, "does not lose").verdict == "does not hold", "with Adam it is 15 points behind"
    assert only(found, "most accurate").verdict == "does not hold", "Model 3 is 10 points ahead"
    assert only(found, "biggest step").verdict == "holds"
    (finding,) = only(found, "at the report's rates").findings
    assert finding.people == "made"
    assert [(who, number[0]) for who, number in finding.differences] == [
        ("RMSprop minus RAdam", "+"),
        ("RMSprop minus Adam", "-"),
    ]


def test_two_sets_of_people_are_judged_each_by_its_metric():
    """A distance of 0.4 is found by PCKh@0.5 and not by PCK@0.2: on LSP the reduced networks lose 20 points."""
    accuracy = {1: 0.6, 2: 0.6, 3: 0.6, 4: 0.6, 5: 0.6, 6: 0.6}
    worse = judged(six(accuracy, lsp={**accuracy, 5: 0.4, 6: 0.4}))
    claim = only(worse, "does not lose")
    assert [(f.people, f.verdict) for f in claim.findings] == [("made", "holds"), ("LSP", "does not hold")]
    assert claim.verdict == "undecided" and "contradict" in claim.would_decide
    same = only(judged(six(accuracy, lsp=accuracy)), "does not lose")
    assert [f.verdict for f in same.findings] == ["holds", "holds"] and same.verdict == "holds"
    assert same.would_decide == ""
    scheduler = only(judged(six(accuracy, lsp={**accuracy, 4: 0.5})), "scheduler")
    assert [f.verdict for f in scheduler.findings] == ["holds", "does not hold"]


def test_the_scheduler_is_judged_by_the_seeds_that_both_models_have():
    runs = six({3: 0.6}) + six({4: 0.5}, seeds=(1, 2))
    both = Seeds(tuple(r for r in runs if r.config.model == "model-4")), Seeds(tuple(runs[1:3]))
    expected = compare(*(side.distances() for side in both), same_seeds=True)
    (finding,) = only(judged(runs), "scheduler").findings
    assert finding.differences == (("Model 4 minus Model 3", points(expected)),)
    assert finding.verdict == "does not hold"
    assert only(judged(runs), "scheduler").missing == ("Model 4 at 0.001: seed 0",)


def test_an_undecided_claim_says_how_many_people_or_seeds_would_decide_it():
    runs = six({1: 0.6, 5: 0.6, 3: 0.6, 6: 0.6}, seeds=(0, 1))
    shaken = [replace(r, predictions=moved(r.predictions, r.config.seed)) for r in runs]
    claim = only(judged(shaken), "does not lose")
    assert claim.verdict == "undecided" and not claim.missing == ()
    assert re.search(r"made: about [\d,]+ (people|seeds per model) instead of (200|2)", claim.would_decide)


def moved(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The predictions of a network that misses 6 % more or less of the people, by its seed."""
    people = table["person"] < (12 if seed else 0)
    return table.assign(distance=table["distance"].where(~people, 2.0))


def test_a_best_rate_at_the_edge_decides_nothing():
    def runs(rates):
        best = {1: 0.7, 2: 0.5, 3: 0.6}
        return [
            make_run(m, a - 0.1 * abs(np.log2(rate / 1e-3)), s, rate)
            for m, a in best.items()
            for rate in rates
            for s in (0, 1, 2)
        ]

    inside = only(judged(six({1: 0.5}), grid=runs((5e-4, 1e-3, 2e-3))), "own best rate")
    assert inside.verdict == "holds"
    edge = only(judged(six({1: 0.5}), grid=runs((5e-4, 1e-3))), "own best rate")
    assert edge.verdict == "undecided" and "rates beyond 0.001" in edge.would_decide


def test_an_optimizer_at_the_edge_of_its_own_rates_decides_nothing():
    """RMSprop was tried at three rates and its rivals at one, which lies between them."""
    tried = {5e-4: 0.6, 1e-3: 0.7, 2e-3: 0.6}
    runs = [make_run(1, accuracy, s, rate) for rate, accuracy in tried.items() for s in (0, 1, 2)]
    runs += [make_run(m, 0.5, s, 1e-3) for m in (2, 3) for s in (0, 1, 2)]
    claim = only(judged(six({1: 0.5}), grid=runs), "own best rate")
    assert claim.verdict == "undecided" and "rates beyond 0.001 for RAdam, 0.001 for Adam" in claim.would_decide


def test_own_best_rates_that_are_too_close_say_how_many_people_or_seeds_they_need():
    best, seeds = {1: 0.5, 2: 0.5, 3: 0.49}, (0, 1, 2)
    runs = [make_run(m, a, s, 1e-3) for m, a in best.items() for s in seeds]
    runs += [make_run(m, a - 0.1, s, rate) for m, a in best.items() for rate in (5e-4, 2e-3) for s in seeds]
    claim = only(judged(six({1: 0.5}), grid=runs), "own best rate")
    assert claim.verdict == "undecided" and re.search(r"people|seeds|no number", claim.would_decide)
    without_adam = [run for run in runs if run.config.model != "model-3"]
    incomplete = only(judged(six({1: 0.5}), grid=without_adam), "own best rate")
    assert "missing runs: posekit grid" in incomplete.would_decide


def test_other_models_of_a_study_change_no_verdict_about_the_six():
    """A network that is better than all, and whose second step is the largest."""
    runs = six({1: 0.5, 2: 0.4, 3: 0.4, 4: 0.4, 5: 0.7, 6: 0.4})
    others = [make_run("lean", 0.9, s, losses=(9.0, 8.0, 3.0)) for s in (0, 1)]
    alone, beside = judged(runs), judged(runs + others)
    assert {name: c.verdict for name, c in alone.items()} == {name: c.verdict for name, c in beside.items()}
    assert only(beside, "most accurate").verdict == "holds" and only(beside, "biggest step").verdict == "holds"


def test_latency_decides_about_inference():
    runs = six({1: 0.5}, seeds=(0,))
    assert only(judged(runs, latency=latency(0.9, 1.2)), "inference").verdict == "undecided"
    assert only(judged(runs, latency=latency(0.8, 0.9)), "inference").verdict == "does not hold"


def test_the_tables_show_each_set_of_people_and_each_study():
    accuracy = {n: 0.6 for n in range(1, 7)}
    new, old = judged(six(accuracy, lsp=accuracy)), judged(six(accuracy))
    table = claims_table(list(new.values()))
    assert list(table.columns) == [
        "claim",
        "rule",
        "counted or measured",
        "made",
        "LSP",
        "verdict",
        "what would decide it",
    ]
    assert len(table) == 10
    both = {"new": list(new.values()), "old": list(old.values())}
    by_study = verdicts_by_study(both).set_index("claim")
    stems = "The reduced network does not lose accuracy"
    assert by_study.loc[stems].to_dict() == {"new": "holds", "old": "holds"}
    assert not any("115,520" in claim for claim in by_study.index)
    differences = differences_table(both).set_index(["claim", "difference"])
    assert list(differences) == ["new: made", "new: LSP", "old: made"]
    for people, finding in zip(("new: made", "new: LSP"), only(new, "does not lose").findings, strict=True):
        assert dict(finding.differences) == differences.loc[stems, people].to_dict()
    assert list(differences_table({"new": both["new"]}))[2:] == ["made", "LSP"]


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


def test_the_record_of_the_crop_is_what_mpii_says(mpii):
    record = json.loads((CHECKOUT / "data" / "benchmarks" / "crop.json").read_text())
    assert record["people"] == len(mpii) == 25_204
    for height in ("200", "210"):
        lost = lost_joints(CropRule(height=float(height)), mpii.center, mpii.scale, mpii.joints)
        both = [
            100 * lost[:, INDEX[name]].sum() / mpii.labeled[:, INDEX[name]].sum()
            for name in ("right ankle", "left ankle")
        ]
        assert record["lost"][height]["ankles_lost"] == pytest.approx(np.mean(both))
        assert record["lost"][height]["joints_lost"] == pytest.approx(100 * lost.sum() / mpii.labeled.sum())
