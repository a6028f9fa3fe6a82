"""Tables that are made of recorded distances and of what annotators saw."""

import numpy as np
import pytest
from made_runs import PEOPLE, make_run
from tables import make_people

from posekit.analysis.tables import visibility_table
from posekit.skeleton import INDEX, SCORED


def test_visible_and_occluded_joints_are_counted_apart():
    run = make_run(5, accuracy=0.5)
    hits = run.distances() < 0.5
    # Everybody's left wrist is hidden, and the whole first person.
    visible = np.full(hits.shape, True)
    visible[:, INDEX["left wrist"]] = False
    visible[0] = False
    table = visibility_table([run], make_people(PEOPLE, visible=visible))
    scored = np.isin(np.arange(16), SCORED)
    hidden = [(p, j) for p in range(PEOPLE) for j in range(16) if scored[j] and not visible[p, j]]
    assert table.loc["joints", "occluded"] == len(hidden) == PEOPLE + 13
    assert table.loc["joints", "visible"] == 14 * PEOPLE - len(hidden)
    assert table.loc[run.label, "occluded"] == pytest.approx(100 * np.mean([hits[p, j] for p, j in hidden]))
