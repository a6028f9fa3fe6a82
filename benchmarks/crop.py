"""Whose joints the report's crop loses, with a height of 200 px per unit of scale and with the report's 210.

    python benchmarks/crop.py path/to/mpii [--json] [--out data/benchmarks/crop.json]

About all annotated people of MPII, train and validation; it needs the annotations alone, no photograph. A joint is
lost if it lies outside the box. saved: points of percent that 210 loses less than 200, with the 95 % interval over
people. For ankles and knees, right and left are counted apart and averaged. Takes seconds.
"""

import argparse
from pathlib import Path

import numpy as np
from reporting import add_options, write_record

from posekit.datasets.mpii import read_mpii
from posekit.datasets.people import People
from posekit.evaluation.intervals import compare, interval
from posekit.preprocessing.crop import CropRule, lost_joints

HEIGHTS = (200, 210)


def audit(people: People) -> dict:
    """Shares in percent, of all people and of all annotated joints."""
    kept = {}  # as distances: 0 where a joint is kept, infinity where it is lost, NaN where there is none
    shares = {}
    for height in HEIGHTS:
        lost = lost_joints(CropRule(height=float(height)), people.center, people.scale, people.joints)
        kept[height] = np.where(people.labeled, np.where(lost, np.inf, 0.0), np.nan)
        shares[str(height)] = {
            "people_losing_a_joint": 100 * float((lost & people.labeled).any(axis=1).mean()),
            "joints_lost": 100 * float((lost & people.labeled).sum() / people.labeled.sum()),
        } | {f"{group}s_lost": 100 - interval(kept[height], group).estimate for group in ("ankle", "knee")}
    saved = {group: compare(kept[210], kept[200], group) for group in ("ankle", "knee")}
    return {"people": len(people), "joints": int(people.labeled.sum()), "lost": shares} | {
        "saved": {f"{group}s": [c.difference, c.low, c.high] for group, c in saved.items()}
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mpii", type=Path, help="folder with MPII's annotations/")
    add_options(parser)
    options = parser.parse_args()
    record = audit(read_mpii(options.mpii))
    write_record(record, options)
    if options.json:
        return
    print(f"{record['people']} people, {record['joints']} joints")
    for height, shares in record["lost"].items():
        print(f"height {height}: " + ", ".join(f"{name} {value:.1f} %" for name, value in shares.items()))
    for group, (difference, low, high) in record["saved"].items():
        print(f"210 keeps {difference:.1f} points more {group} (95 %: {low:.1f} to {high:.1f})")


if __name__ == "__main__":
    main()
