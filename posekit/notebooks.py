"""Executes notebooks in a fresh kernel each, and keeps the executed copies."""

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from tqdm.auto import tqdm

from posekit.errors import PosekitError


def study_notebooks() -> list[Path]:
    """The numbered notebooks of the checkout, in order."""
    return sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("[0-9]*.ipynb"))


def execute_notebook(notebook: Path, executed: Path, environment: dict[str, str], progress: bool = True) -> None:
    """Runs all cells from a fresh kernel and writes the copy with outputs; the notebook itself is not touched.

    environment is added to this process's. Raises `PosekitError` naming the notebook and the error if a cell
    fails; the copy up to there is written all the same.
    """
    content = nbformat.read(notebook, as_version=4)
    code = sum(cell.cell_type == "code" for cell in content.cells)
    bar = tqdm(total=code, desc=notebook.name, unit=" cells", disable=not progress)
    client = NotebookClient(
        content,
        timeout=None,
        kernel_name="python3",
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # the kernel's remarks would stand in the progress bar
        resources={"metadata": {"path": str(notebook.parent)}},
        on_cell_executed=lambda **_: bar.update(),
    )
    executed.parent.mkdir(parents=True, exist_ok=True)
    try:
        with bar:
            client.execute(env={**os.environ, **environment})
    except CellExecutionError as error:
        raise PosekitError(f"{notebook.name} stopped: {error.ename}: {error.evalue} (see {executed})") from error
    except DeadKernelError as error:
        raise PosekitError(f"{notebook.name} stopped: its kernel died, most likely out of memory") from error
    finally:
        nbformat.write(content, executed)
