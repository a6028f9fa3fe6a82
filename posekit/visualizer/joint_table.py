"""Joint by joint: how far is the answer from the truth, how sure is the network, is it a hit."""

from html import escape

import numpy as np
import pandas as pd

from posekit.evaluation.pckh import head_distances
from posekit.inference.predictor import Prediction
from posekit.skeleton import JOINTS, SCORED


def joint_table(answer: Prediction, truth: np.ndarray, head_size: float, hit: float) -> pd.DataFrame:
    """A row per joint, by name: `error` in head sizes (NaN where it is not annotated), `confidence`, `hit`.

    truth (16, 2) image px, NaN where not annotated; head_size in image px, NaN if unknown. `hit` is whether the
    error is at most `hit` head sizes, as PCKh counts; missing where there is no error.
    """
    error = head_distances(answer.joints[None], truth[None], np.array([head_size]))[0]
    hits = pd.array(error <= hit, dtype="boolean")
    hits[np.isnan(error)] = pd.NA
    return pd.DataFrame({"error": error, "confidence": answer.confidence, "hit": hits}, index=list(JOINTS))


def summary(table: pd.DataFrame, hit: float) -> str:
    """One line on a `joint_table`: hits among the 14 joints that count, and their median error."""
    scored = table.iloc[list(SCORED)].dropna(subset=["error"])
    if scored.empty:
        return "no joint can be scored: no head size or no annotated joint"
    return (
        f"{int(scored.hit.sum())} of {len(scored)} annotated joints within {hit:g} head sizes; "
        f"median error {scored.error.median():.2f}"
    )


def table_html(tables: list[tuple[str, pd.DataFrame]], chosen: str = "", threshold: float = 0.0) -> str:
    """Titles and tables of several answers side by side; the row of the joint `chosen` stands out.

    A hit has a tick, a miss a cross; a confidence below `threshold`, of a joint that is not drawn, is in brackets.
    """
    head = "".join(f"<th colspan=3>{escape(title)}</th>" for title, _ in tables)
    columns = "<th>error,<br>head sizes</th><th>confi-<br>dence</th><th>hit</th>" * len(tables)
    rows = [
        _row(joint, "".join(_cells(table.loc[joint], threshold) for _, table in tables), chosen)
        for joint in JOINTS
    ]
    note = f"<tr><td colspan={1 + 3 * len(tables)}>pelvis and thorax are not counted<br>( ) not drawn</td></tr>"
    return _table(f"<tr><th></th>{head}</tr><tr><th>joint</th>{columns}</tr>{''.join(rows)}{note}")


def answer_html(answer: Prediction, chosen: str = "", threshold: float = 0.0) -> str:
    """Where an answer has each joint, image px, and its confidence, for a person without annotation."""
    rows = "".join(
        _row(joint, f"<td>{x:.0f}</td><td>{y:.0f}</td><td>{_confidence(confidence, threshold)}</td>", chosen)
        for joint, (x, y), confidence in zip(JOINTS, answer.joints, answer.confidence, strict=True)
    )
    return _table(f"<tr><th>joint</th><th>x,<br>px</th><th>y,<br>px</th><th>confi-<br>dence</th></tr>{rows}")


def _table(rows: str) -> str:
    return f"<table class='posekit-table'>{rows}</table>"


def _row(joint: str, cells: str, chosen: str) -> str:
    return f"<tr class='{'posekit-chosen' if joint == chosen else ''}'><td>{joint}</td>{cells}</tr>"


def _cells(row: pd.Series, threshold: float) -> str:
    known = not np.isnan(row.error)
    error = f"{row.error:.2f}" if known else "&ndash;"
    mark, kind = (("&#10003;", "hit") if row.hit else ("&#10007;", "miss")) if known else ("", "none")
    confidence = _confidence(row.confidence, threshold)
    return f"<td>{error}</td><td>{confidence}</td><td class='posekit-{kind}'>{mark}</td>"


def _confidence(value: float, threshold: float) -> str:
    return f"{value:.2f}" if value >= threshold else f"({value:.2f})"
