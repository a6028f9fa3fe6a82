"""A further model is one entry: it has its curve, rows and verdict, and takes none from the report's six."""

import pandas as pd
import pytest
from figure_checks import write_no_figures
from made_runs import make_run
from test_claims import CROP, latency

from posekit.analysis.claims import judge_claims
from posekit.analysis.losses import losses_table
from posekit.analysis.optimizers import make_grid
from posekit.analysis.publish import publish_records
from posekit.analysis.report_figures import loss_figure, loss_figures
from posekit.analysis.results import Results
from posekit.analysis.tables import accuracy_table, cost_table, models_table
from posekit.study import configurations
from posekit.study.configurations import SIZES
from posekit.study.models import Model

SEVENTH = Model("model-7", "Model 7", "reduced, RAdam", "RAdam", stem="reduced")
ACCURACY = {1: 0.7, 2: 0.5, 3: 0.6, 4: 0.6, 5: 0.7, 6: 0.6}
MOST_ACCURATE = "The reduced network with RMSprop is the most accurate"
FIRST_STEP = "All models make the biggest step after the first epoch"


@pytest.fixture
def six():
    return [make_run(number, accuracy, seed) for number, accuracy in ACCURACY.items() for seed in (0, 1, 2)]


def verdicts(runs) -> dict[str, str]:
    results = Results("made", runs, [], make_grid(runs, []), "made")
    return {claim.claim: claim.verdict for claim in judge_claims(results, latency(), CROP)}


def with_a_seventh(monkeypatch, model: Model = SEVENTH) -> None:
    monkeypatch.setitem(configurations.REPORT_MODELS, model.name, model)
    monkeypatch.setitem(configurations.MODELS, model.name, model)


def test_while_it_is_untrained_nothing_changes(monkeypatch):
    runs = [make_run(n, 0.9 if n == 5 else 0.6, seed) for n in ACCURACY for seed in (0, 1, 2)]
    before = verdicts(runs)
    assert before[MOST_ACCURATE] == before[FIRST_STEP] == "holds", "verdicts that need all models of the report"
    with_a_seventh(monkeypatch)
    assert verdicts(runs) == before


def test_it_does_not_stand_in_for_a_model_of_the_report(monkeypatch):
    with_a_seventh(monkeypatch)
    models = ["model-1", "model-2", "model-3", "model-5", "model-6", "model-7"]
    runs = [make_run(name, 0.9 if name == "model-5" else 0.6, seed) for name in models for seed in (0, 1, 2)]
    found = verdicts(runs)
    assert found[MOST_ACCURATE] == found[FIRST_STEP] == "undecided"


def test_a_model_of_any_name_leaves_the_table_of_losses_to_the_six(six, monkeypatch):
    named = Model("mine", "Mine", "reduced, RAdam", "RAdam", stem="reduced")
    before = losses_table(six)
    with_a_seventh(monkeypatch, named)
    pd.testing.assert_frame_equal(losses_table([*six, make_run("mine", 0.6)]), before)


def test_it_has_its_curve_its_rows_and_its_verdict(six, monkeypatch, tmp_path):
    write_no_figures(monkeypatch)
    with_a_seventh(monkeypatch)
    runs = six + [make_run("model-7", 0.3, seed) for seed in (0, 1, 2)]
    figures = loss_figures(runs)
    title, shown = figures["losses_radam_constant"]
    assert title == "Original and reduced network with RAdam"
    assert {run.config.model for run in shown} == {"model-2", "model-7"}
    names = [text.get_text() for legend in loss_figure(shown, title).figure.legends for text in legend.get_texts()]
    assert names[:2] == ["Model 2: original, RAdam", "Model 7: reduced, RAdam"]
    assert "Model 7" in set(models_table(runs)[""])
    assert any(label.startswith("Model 7") for label in accuracy_table(runs)["run"])
    assert "Model 7" in set(cost_table(SIZES["quick"])["model"])
    found = verdicts(runs)
    (verdict,) = [verdict for claim, verdict in found.items() if "does not lose" in claim]
    assert verdict == "does not hold", "with RAdam the reduced network is 20 points behind"
    made = {
        path.name for path in publish_records(Results("made", runs, [], {}, "other"), tmp_path, progress=False)
    }
    assert {"losses_radam_constant.png", "claims.md", "models.md"} <= made


def test_without_a_partner_of_the_other_stem_it_has_a_curve_of_its_own(six, monkeypatch):
    alone = Model("mine", "Mine", "reduced, Adam along a cosine", "Adam", "cosine", stem="reduced")
    assert "losses_further" not in loss_figures(six)
    with_a_seventh(monkeypatch, alone)
    title, shown = loss_figures([*six, make_run("mine", 0.6)])["losses_further"]
    assert {run.config.model for run in shown} == {"mine"}
    (line,) = [line for line in loss_figure(shown, title).axes[1].get_lines() if line.get_label() == alone.label]
    assert len(line.get_xdata()) == len(shown[0].history)
