"""The claims of the report, one by one: what was found on each set of people, and a verdict.

docs/judging_claims.md says which rule and which runs judge each claim; `posekit.analysis.judging` has the rules. A
verdict is about the size and the data that were trained: another size may have another one. So `claims_table`
says its setting, and `verdicts_by_study` shows the verdicts of several studies side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from posekit.analysis import judging, original_report
from posekit.analysis.contest import Contest, Finding, listed_models, missing_runs
from posekit.analysis.deciding import deciding_number
from posekit.analysis.judging import BEST, EQUAL, NO_LOSS, Verdict, points
from posekit.analysis.losses import ONE_RATE
from posekit.analysis.optimizers import GRID_MODELS, at_best_rates, edge_rates
from posekit.analysis.results import Results
from posekit.analysis.texts import listed
from posekit.analysis.yardsticks import yardsticks
from posekit.models.cost import network_cost
from posekit.study.configurations import MODELS, REPORT_MODELS, REPORT_RATES, get_size, network_of
from posekit.study.runs import Run

#: The report, section IV.
PARAMETERS_SAVED = 115_520

#: Seeds of each model that docs/judging_claims.md asks for, and of each at the rate that is the same for all.
SEEDS, SEEDS_AT_ONE_RATE = 3, 2


@dataclass(frozen=True)
class Claim:
    """What the report says and where, the rule that judges it, and what was found.

    missing: runs that the rule needs and that are not trained.
    """

    claim: str
    section: str
    rule: str
    findings: tuple[Finding, ...]
    missing: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """That of all sets of people together."""
        return judging.together([finding.verdict for finding in self.findings])

    @property
    def would_decide(self) -> str:
        """What is missing to a verdict; "" for a claim that is decided."""
        if self.verdict != "undecided":
            return ""
        if judging.contradict([finding.verdict for finding in self.findings]):
            return "the two sets of people contradict each other"
        runs = [f"missing runs: {'; '.join(self.missing)}"] if self.missing else []
        return "; ".join(
            runs + [f"{f.people}: {f.needed}" if f.people else f.needed for f in self.findings if f.needed]
        )


def judge_claims(results: Results, latency: pd.DataFrame, crop: dict) -> list[Claim]:
    """The ten claims, in the order of docs/judging_claims.md.

    latency and crop are those of `posekit.analysis.benchmark_records`.
    """
    contest = Contest(results)
    return [
        _parameters(),
        _crop(crop),
        _inference(latency),
        _first_step(results.runs),
        *_of_accuracy(contest, results),
    ]


def judge_studies(studies: Sequence[Results], latency: pd.DataFrame, crop: dict) -> dict[str, list[Claim]]:
    """`judge_claims` of several studies, by their names."""
    return {results.name: judge_claims(results, latency, crop) for results in studies}


def claims_table(claims: Sequence[Claim]) -> pd.DataFrame:
    """A row per claim: what it says, the rule, what was counted or measured, the verdict on each set of people
    and of all together, and what would decide it."""
    rows = []
    for claim in claims:
        row = {"claim": f"{claim.claim} ({claim.section})", "rule": claim.rule}
        for finding in claim.findings:
            row[finding.people or "counted or measured"] = finding.verdict if finding.people else finding.evidence
        rows.append(row | {"verdict": claim.verdict, "what would decide it": claim.would_decide})
    table = pd.DataFrame(rows).fillna("")
    last = ["verdict", "what would decide it"]
    table = table[[column for column in table if column not in last] + last]
    return table.loc[:, (table != "").any()]


def differences_table(claims: dict[str, Sequence[Claim]]) -> pd.DataFrame:
    """What the verdicts about accuracy stand on, of one study or several by name: a row per claim and difference,
    a column per study and set of people, in percentage points with 95 % intervals over people and seeds."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for study, judged in claims.items():
        for claim in judged:
            for finding in claim.findings:
                column = f"{study}: {finding.people}" if len(claims) > 1 else finding.people
                for of_whom, number in finding.differences:
                    rows.setdefault((claim.claim, of_whom), {})[column] = number
    order = list(dict.fromkeys(claim.claim for judged in claims.values() for claim in judged))
    table = [{"claim": claim, "difference": of_whom} | numbers for (claim, of_whom), numbers in rows.items()]
    return pd.DataFrame(sorted(table, key=lambda row: order.index(row["claim"]))).fillna("")


def verdicts_by_study(claims: dict[str, Sequence[Claim]]) -> pd.DataFrame:
    """The verdicts of several studies side by side, by the name of the study: a row per claim that trainings
    judge, with the verdict of all sets of people together."""
    rows: dict[str, dict[str, str]] = {}
    for study, judged in claims.items():
        for claim in judged:
            if any(finding.people for finding in claim.findings):
                rows.setdefault(claim.claim, {})[study] = claim.verdict
    return pd.DataFrame.from_dict(rows, orient="index").fillna("not judged").rename_axis("claim").reset_index()


@cache  # counting FLOPs takes seconds, and every study has this claim
def _parameters() -> Claim:
    full = get_size("full")
    original, reduced = (
        network_cost(network_of(MODELS[name], full), full.crop.size) for name in ("model-1", "model-5")
    )
    key = "stem_convolution_parameters"
    saved = original[key] - reduced[key]
    evidence = (
        f"{original[key]:,} - {reduced[key]:,} = {saved:,} parameters of convolutions: "
        f"{100 * (1 - reduced['parameters'] / original['parameters']):.1f} % of the network's parameters, "
        f"{100 * (1 - reduced['gflop'] / original['gflop']):.1f} % of its FLOPs; at full size"
    )
    verdict: Verdict = "holds" if saved == PARAMETERS_SAVED else "does not hold"
    claim = f"The reduced stem has {PARAMETERS_SAVED:,} fewer parameters"
    return Claim(claim, "IV", "count", (Finding("", verdict, evidence),))


def _crop(crop: dict) -> Claim:
    lost = {height: crop["lost"][height]["ankles_lost"] for height in ("200", "210")}
    difference, low, high = crop["saved"]["ankles"]
    evidence = (
        f"ankles outside the crop: {lost['200']:.1f} % at 200 px, {lost['210']:.1f} % at 210 px, "
        f"{difference:.1f} points fewer ({low:.1f} to {high:.1f}); {crop['people']:,} people of MPII"
    )
    found = Finding("", judging.above([(low, high)], 0), evidence)
    return Claim("A crop of 210 px instead of 200 px saves legs", "IV", "saves", (found,))


def _inference(latency: pd.DataFrame) -> Claim:
    settings, intervals = [], []
    for row in latency.to_dict("records"):
        threads = "" if pd.isna(row["threads"]) else f", {row['threads']} thread{'s'[: row['threads'] > 1]}"
        ratio = "{:.3f} ({:.3f} to {:.3f})".format(*(row[f"ratio{end}"] for end in ("", " low", " high")))
        settings.append(f"{row['device']}{threads}, batch {row['batch']}: {ratio}")
        intervals.append((row["ratio low"], row["ratio high"]))
    evidence = (
        f"time of the original / time of the reduced network, at full size, as recorded (`python "
        f"benchmarks/inference.py` measures it on your machine): {'; '.join(settings)}"
    )
    found = Finding("", judging.above(intervals, 1), evidence)
    return Claim("The reduced network takes less time for inference", "VI", "faster", (found,))


def _first_step(runs: Sequence[Run]) -> Claim:
    largest: dict[str, list[bool]] = {}
    failing, six = [], original_report.models()
    runs = [run for run in runs if run.config.model in six]
    for run in runs:
        steps = -np.diff(run.history["train_loss"])
        largest.setdefault(run.config.model, []).append(len(steps) > 1 and int(np.argmax(steps)) == 0)
        if not largest[run.config.model][-1]:
            failing.append(f"{MODELS[run.config.model].title} seed {run.config.seed}")
    count = sum(map(sum, largest.values()))
    evidence = f"the training loss falls most after the first epoch in {count} of {len(runs)} runs"
    evidence += f"; not in {', '.join(failing)}" if failing else ""
    verdict = judging.first_step(largest, six)
    few = [MODELS[model].title for model in six if len(largest.get(model, [])) < 2]
    claim = "All models make the biggest step after the first epoch"
    return Claim(
        claim,
        "V",
        "first step",
        (Finding("", verdict, evidence),),
        (f"a second seed of {listed_models(few)}",) * bool(few),
    )


def _of_accuracy(contest: Contest, results: Results) -> list[Claim]:
    first, *others = GRID_MODELS.items()

    def rivals(rates: dict[str, float]) -> list:
        rmsprop, *rest = (contest.side(m, rates[name], name) for name, m in (first, *others))
        return [(rmsprop, other) for other in rest]

    at_report, at_one, one_rate = rivals(REPORT_RATES), rivals(ONE_RATE), ONE_RATE["RMSprop"]
    scheduler = [(contest.side("model-4"), contest.side("model-3"))]
    stems = [(contest.side(a), contest.side(b)) for a, b in reduced_and_original(results.runs)]
    ranked = dict.fromkeys([*original_report.models(), *(run.config.model for run in results.runs)])
    chosen = [(contest.side("model-5"), contest.side(m)) for m in ranked if m != "model-5" and m in REPORT_MODELS]
    judged = (
        ("RMSprop performs best, at the report's rates", "V", BEST, at_report, SEEDS, False),
        (f"RMSprop performs best, at {one_rate:g} for all", "V", BEST, at_one, SEEDS_AT_ONE_RATE, False),
        ("The scheduler's influence is insignificant", "V", EQUAL, scheduler, SEEDS, True),
        ("The reduced network does not lose accuracy", "V", NO_LOSS, stems, SEEDS, False),
        ("The reduced network with RMSprop is the most accurate", "VI", BEST, chosen, SEEDS, False),
    )
    claims = [
        Claim(claim, section, rule.name, contest.judge(rule, pairs, same_seeds), missing_runs(pairs, planned))
        for claim, section, rule, pairs, planned, same_seeds in judged
    ]
    return [*claims[:2], _own_best_rates(results), *claims[2:]]


def _own_best_rates(results: Results) -> Claim:
    """Each optimizer at its own best rate, of the grid that `results` has; nothing is decided while one of these
    is the lowest or the highest rate that its optimizer was tried at."""
    grid = results.grid
    claim = "RMSprop performs best, each optimizer at its own best rate"
    duels = at_best_rates(grid)
    if not duels:
        return Claim(
            claim,
            "V",
            BEST.name,
            (Finding(results.yardsticks[0].title, "undecided"),),
            ("posekit grid",),
        )
    edges = {optimizer: edge for optimizer in GRID_MODELS if (edge := edge_rates(grid, optimizer))}
    complete = len(duels) == len(GRID_MODELS) - 1
    comparisons = [duel.comparison for duel in duels]
    yardstick = yardsticks([run for seeds in grid.values() for run in seeds.runs])[0]
    people = yardstick.title
    verdict = "undecided" if edges else judging.best({people: comparisons}, complete)[people]
    elsewhere = f" ({results.grid_study})" if results.grid_study != results.name else ""
    differences = tuple(
        (f"{duel.first} minus {duel.second}{elsewhere}", points(duel.comparison)) for duel in duels
    )
    if edges:
        beyond = [f"{listed(f'{rate:g}' for rate in edge)} for {name}" for name, edge in edges.items()]
        needed = f"rates beyond {', '.join(beyond)}: the edge of what was tried"
    else:
        runs = next(iter(grid.values())).runs
        seeds = tuple(min(side) for side in zip(*(duel.seeds for duel in duels), strict=True))
        needed = deciding_number(BEST.needs(comparisons, len(comparisons)), yardstick.people(runs[0]), seeds)
    found = Finding(people, verdict, differences=differences, needed=needed)
    return Claim(claim, "V", BEST.name, (found,), () if complete else ("posekit grid",))


def reduced_and_original(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """The pairs (reduced, original) of models that differ in their stem alone: the report's two, and further
    ones."""
    pairs = {("RMSprop", "constant"): ("model-5", "model-1"), ("Adam", "constant"): ("model-6", "model-3")}
    stems: dict[tuple[str, str], dict[str, str]] = {}
    for name in dict.fromkeys(run.config.model for run in runs):
        if name in MODELS and MODELS[name].network is None:
            stems.setdefault((MODELS[name].optimizer, MODELS[name].schedule), {})[MODELS[name].stem] = name
    for recipe, models in stems.items():
        if {"reduced", "original"} <= set(models):
            pairs.setdefault(recipe, (models["reduced"], models["original"]))
    return list(pairs.values())
