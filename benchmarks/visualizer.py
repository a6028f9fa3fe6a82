"""How long from a slider's move to the new picture, measured in the browser.

    python benchmarks/visualizer.py [--json]

Opens notebook 08 on the drawn people in JupyterLab and headless Chromium, presses arrow keys on two sliders, and
takes the time in the page from the key to the decoded picture: `opacity` draws anew, `person` goes back and forth
among people whose predictions are kept. The aim is a median below 100 ms on two cores. Missing networks are
trained first; Chromium and playwright must be there, as for tests/test_browser.py.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import browser

CHECKOUT = Path(__file__).resolve().parent.parent
NOTEBOOK = Path("notebooks", "08_visualizer.ipynb")
PICTURES = Path("figures", "visualizer")

MOVES = {
    "opacity": ["ArrowRight", "ArrowLeft"] * 20,
    "person": ["ArrowRight"] * 10 + ["ArrowLeft", "ArrowRight"] * 20,
}
WARM_UP = {"opacity": 4, "person": 12}


def lay_out(folder: Path) -> None:
    """Copies the notebook and the pictures that it shows."""
    for path in (NOTEBOOK, PICTURES):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(CHECKOUT / NOTEBOOK, folder / NOTEBOOK)
    shutil.copytree(CHECKOUT / PICTURES, folder / PICTURES)


def times(page) -> dict[str, float]:
    """Medians and 90th percentiles in ms, by slider, in a page where all cells have run."""
    figures = {}
    for name, keys in MOVES.items():
        waits = browser.milliseconds_to_picture(page, name, keys)[WARM_UP[name] :]
        figures[f"{name}_median_ms"] = statistics.median(waits)
        figures[f"{name}_90th_percentile_ms"] = statistics.quantiles(waits, n=10)[-1]
    return figures


def measure() -> dict[str, float]:
    """The `times` of the notebook in JupyterLab."""
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder))
        environment = {"POSEKIT_HOME": str(CHECKOUT), "POSEKIT_DATA": "", "POSEKIT_MPII": "", "POSEKIT_LSPET": ""}
        with browser.server("lab", Path(folder), environment) as address, browser.chromium() as chromium:
            page = chromium.new_page(viewport={"width": 1280, "height": 800})
            browser.run_in_lab(page, address, NOTEBOOK.as_posix())
            page.locator(".posekit-upload").wait_for(state="attached", timeout=600_000)
            return times(page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if browser.why_not():
        sys.exit(browser.why_not())
    figures = measure()
    if arguments.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name:28s} {value:7.1f}")


if __name__ == "__main__":
    main()
