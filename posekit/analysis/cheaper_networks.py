"""Accuracy against cost: every network compared with the original one, trained and tested alike; from records."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Literal

import pandas as pd

from posekit.analysis import judging
from posekit.analysis.deciding import deciding_number
from posekit.analysis.judging import Verdict, points
from posekit.analysis.texts import difference_text
from posekit.analysis.yardsticks import yardsticks
from posekit.errors import PosekitError
from posekit.evaluation.intervals import compare, interval, seed_chance
from posekit.models.cost import network_cost
from posekit.study.configurations import COMPARISON_SIZES, SIZES
from posekit.study.networks import NETWORKS
from posekit.study.runs import Run
from posekit.study.seeds import Seeds, by_configuration

#: Of data/pareto.csv; the first columns of `pareto_table`.
PARETO_COLUMNS = ["network", "parameters", "gflop", "latency_ms", "pckh", "difference", "low", "high"]

#: The original network in all but its loss: compared with it, a network shows the effect of its layers alone.
ALIKE = "likelihood"

#: Tables show latency in this runtime: there it is the time of the arithmetic, not of torch's calls.
RUNTIME, THREADS = "onnxruntime", 1

#: What an interval accounts for: the choice of the people, or that of the people and of the training seeds.
PEOPLE, BOTH = "people", "people and seeds"


@dataclass(frozen=True)
class Difference:
    """A network's PCKh@0.5 weighted14 minus another one's (points), with its paired 95 % interval.

    covers: `BOTH` where both networks have several seeds. Otherwise `PEOPLE`: the interval holds for these very
    trainings on other people and leaves out the chance of the seed. no_loss: the verdict of rule "no loss" on
    these people, which is undecided without several seeds (docs/judging_claims.md).
    """

    points: float
    low: float
    high: float
    covers: str
    no_loss: Verdict | Literal[""]


def by_network(runs: Sequence[Run], size: str) -> dict[str, Seeds]:
    """The finished runs of each network at one of `COMPARISON_SIZES`, in the order of `NETWORKS`."""
    chosen = [run for run in runs if run.finished and run.config.size == size and run.config.model in NETWORKS]
    return {seeds.config.model: seeds for seeds in by_configuration(chosen)}


def training_command(data: str, model: str, size: str) -> str:
    """What trains a network on a data set, such as mpii-2203-lspet-9844, or on a person's own file."""
    sets = [name for name in data.split("-") if name in ("mpii", "lspet", "lsp")]
    if not sets and data != "sample":
        sets = ["people.json"]
    return " ".join([f"posekit train --model {model} --size {size}", *(f"--data path/to/{name}" for name in sets)])


def differences(networks: Mapping[str, Seeds], other: str = "original") -> dict[str, Difference]:
    """Every network minus the network named `other`. networks: of `by_network`, which includes `other`.

    The scatter of seeds is pooled over all networks (`posekit.evaluation.intervals.seed_chance`), since few of
    them have more than two seeds.
    """
    distances = {name: seeds.distances() for name, seeds in networks.items()}
    chance = seed_chance(list(distances.values()))
    found = {}
    for name in networks.keys() - {other}:
        compared = compare(distances[name], distances[other], chance=chance)
        if pd.isna(compared.seeds_low):
            low, high, covers = compared.low, compared.high, PEOPLE
        else:
            low, high, covers = compared.seeds_low, compared.seeds_high, BOTH
        found[name] = Difference(compared.difference, low, high, covers, judging.no_loss([compared]))
    return found


def pareto_table(
    runs: Sequence[Run], size: str, latency: Mapping[str, float], peak_memory: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """A row per network that was trained at one of `COMPARISON_SIZES`, the original network first.

    The columns are `PARETO_COLUMNS`: gflop counts 2 FLOPs per multiply-add for one image; pckh is PCKh@0.5
    weighted14 (percent), the mean of the seeds; difference, low and high are those of `Difference`, NaN for the
    original. Then covers and no_loss ("" for the original); the same five again, called alike_..., compared with
    the network `ALIKE`; pckh_low and pckh_high, the 95 % interval of pckh over people; seeds and epochs, how many;
    peak_mb, the most memory that the network takes. latency (ms) and peak_memory (MB) are by network; the columns
    are NaN where they were not measured. Raises `PosekitError` if the original is missing.
    """
    networks = by_network(runs, size)
    if "original" not in networks:
        data = runs[0].config.data if runs else "sample"
        raise PosekitError(
            f"the original network has not been trained yet: {training_command(data, 'original', size)}"
        )
    minus, alike = differences(networks), differences(networks, ALIKE) if ALIKE in networks else {}
    rows = []
    for name, seeds in sorted(networks.items(), key=lambda item: item[0] != "original"):
        cost = network_cost(seeds.config.network, seeds.config.crop.size)
        own = interval(seeds.distances())
        rows.append(
            {
                "network": name,
                "parameters": cost["parameters"],
                "gflop": cost["gflop"],
                "latency_ms": latency.get(name, float("nan")),
                "pckh": own.estimate,
                **_columns(minus.get(name)),
                **_columns(alike.get(name), "alike_"),
                "pckh_low": own.low,
                "pckh_high": own.high,
                "seeds": len(seeds.runs),
                "epochs": seeds.config.epochs,
                "peak_mb": (peak_memory or {}).get(name, float("nan")),
            }
        )
    return pd.DataFrame(rows)


def _columns(difference: Difference | None, prefix: str = "") -> dict[str, float | str]:
    nothing = Difference(float("nan"), float("nan"), float("nan"), "", "")
    points, *rest = astuple(difference or nothing)
    return {f"{prefix}difference": points} | {
        f"{prefix}{name}": value for name, value in zip(("low", "high", "covers", "no_loss"), rest, strict=True)
    }


def measured_on_one_thread(measured: pd.DataFrame, column: str) -> dict[str, float]:
    """A column of `posekit.analysis.benchmark_records.network_latency` by network, in `RUNTIME` on one thread."""
    rows = measured[(measured["runtime"] == RUNTIME) & (measured["threads"] == THREADS)]
    return dict(zip(rows["network"], rows[column].astype(float), strict=True))


def networks_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The tables of all sizes (`pareto_table`, by size) as one to read, with numbers as text.

    Costs lower than the original's are shown as a part of it, such as 1 / 7.1.
    """
    rows = []
    for table in tables.values():
        original = table.iloc[0]
        for row in table.itertuples():
            text = {
                "network": row.network,
                "what is changed": NETWORKS[row.network].description,
                "epochs": row.epochs,
                "seeds": row.seeds,
                "parameters": f"{row.parameters:,}",
                "GFLOP": f"{row.gflop:.4f}",
                "of the original's FLOPs": _share(row.gflop, original.gflop),
                f"latency, ms ({RUNTIME}, {THREADS} thread)": _number(row.latency_ms, ".2f"),
                "of the original's latency": _share(row.latency_ms, original.latency_ms),
                "peak memory, MB": _number(row.peak_mb, ".0f"),
                "PCKh@0.5, % (95 % of people)": f"{row.pckh:.1f} ({row.pckh_low:.1f} to {row.pckh_high:.1f})",
                "minus the original's, points (95 %)": difference_text(row.difference, row.low, row.high),
                f"minus {ALIKE}'s, points (95 %)": difference_text(
                    row.alike_difference, row.alike_low, row.alike_high
                ),
                "intervals cover": covers_text(row.covers, row.alike_covers),
            }
            rows.append(text)
    table = pd.DataFrame(rows)
    return table[[column for column in table if (table[column] != "").any()]]  # without what was not measured


def covers_text(*covers: str) -> str:
    """What intervals cover, in their order: `people`, or `people and seeds / people` where they differ."""
    return " / ".join(dict.fromkeys(filter(None, covers)))


def untrained(runs: Sequence[Run]) -> dict[str, list[str]]:
    """The networks without a finished run, by size."""
    return {size: [name for name in NETWORKS if name not in by_network(runs, size)] for size in COMPARISON_SIZES}


def _number(value: float, form: str) -> str:
    return "" if pd.isna(value) else format(value, form)


def _share(value: float, original: float) -> str:
    if pd.isna(value) or pd.isna(original):
        return ""
    return f"1 / {original / value:.1f}" if value < original else f"{value / original:.2f}"


def differences_by_length(tables: Mapping[str, pd.DataFrame], alike: bool = False) -> pd.DataFrame:
    """A row per network that was trained at both of `COMPARISON_SIZES`. tables: of `pareto_table`, by size.

    Columns: network; `short difference`, `short low`, `short high`, `short covers`, `short no_loss` and the same
    of long, see `Difference`. alike: compared with the network `ALIKE` instead of the original. The table is empty
    where a size is missing or no network has both.
    """
    if not all(size in tables for size in COMPARISON_SIZES):
        return pd.DataFrame()
    prefix = "alike_" if alike else ""
    short, long = (
        tables[size]
        .set_index("network")[[f"{prefix}{name}" for name in ("difference", "low", "high", "covers", "no_loss")]]
        .dropna()
        .rename(columns=lambda name, size=size: f"{size} {name.removeprefix(prefix)}")
        for size in COMPARISON_SIZES
    )
    return short.join(long, how="inner").reset_index()


def training_lengths_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """`differences_by_length` from the original and from `ALIKE` as text, with the verdicts of rule "no loss".

    It is empty where `differences_by_length` is.
    """
    rows = []
    for other, alike in (("original", False), (ALIKE, True)):
        for _, row in differences_by_length(tables, alike).iterrows():
            text = {"network": row["network"], "compared with": other}
            for size in COMPARISON_SIZES:
                columns = (f"{size} {name}" for name in ("difference", "low", "high"))
                epochs = f"after {SIZES[size].epochs} epochs"
                text[f"points more {epochs} (95 %)"] = difference_text(*row[[*columns]])
                text[f"no loss {epochs}"] = row[f"{size} no_loss"]
            covers = (row[f"{size} covers"] for size in COMPARISON_SIZES)
            rows.append(text | {"intervals cover": covers_text(*covers)})
    return pd.DataFrame(rows)


def no_loss_table(
    runs: Sequence[Run], size: str, networks: Sequence[str], other: str = "original"
) -> pd.DataFrame:
    """Rule "no loss" of docs/judging_claims.md for networks at one of `COMPARISON_SIZES`, each minus `other`.

    A row per network that is trained: its difference (percentage points, 95 % interval of people and seeds) and
    the verdict on each set of people, the verdict on all of them together, and what would decide it.
    """
    trained = by_network(runs, size)
    finished = [run for seeds in trained.values() for run in seeds.runs]
    rows = []
    for name in networks:
        if name == other or not {name, other} <= set(trained):
            continue
        first, second = trained[name], trained[other]
        row: dict[str, str] = {
            "network": name,
            "minus": other,
            "epochs": str(first.config.epochs),
            "seeds": f"{len(first.runs)} and {len(second.runs)}",
        }
        verdicts, needed = [], []
        for yardstick in yardsticks(finished):
            found = yardstick.compare(first, second, yardstick.chance(list(trained.values())))
            verdicts.append(judging.no_loss([found]))
            row[f"{yardstick.title}, {yardstick.metric}: points"] = f"{points(found)}: {verdicts[-1]}"
            seeds = len(first.runs), len(second.runs)
            number = deciding_number(judging.NO_LOSS.needs([found], 1), yardstick.people(first.runs[0]), seeds)
            needed.append(f"{yardstick.title}: {number}" if number else "")
        verdict = judging.together(verdicts)
        missing = (
            "a second seed" if min(len(first.runs), len(second.runs)) < 2 else "; ".join(filter(None, needed))
        )
        rows.append(row | {"no loss": verdict, "what would decide it": missing if verdict == "undecided" else ""})
    return pd.DataFrame(rows)
