"""Ctrl-C while a notebook is executed."""

import subprocess
import sys

INTERRUPTED = """
import sys
from pathlib import Path
import nbformat
from posekit.cli.common import guarded
from posekit.cli.run_notebooks import execute_notebook
ctrl_c = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(1000)"
cells = [nbformat.v4.new_code_cell(ctrl_c)]
notebook = Path(sys.argv[1])
nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook)
guarded(execute_notebook)(notebook, notebook.with_name("executed.ipynb"), {}, progress=False)
"""


def test_ctrl_c_while_a_notebook_runs_is_one_sentence(tmp_path):
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path / "own.ipynb")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert "posekit: stopped" in done.stderr and "AssertionError" not in done.stderr
    assert (tmp_path / "executed.ipynb").exists()
