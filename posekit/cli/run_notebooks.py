"""Executes notebooks in a fresh kernel each: copies with outputs, or the outputs that are committed."""

import asyncio
import base64
import hashlib
import io
import os
import re
import signal
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from PIL import Image
from tqdm.auto import tqdm

from posekit.datasets.sources import DATA_VARIABLE, SINGLE_VARIABLES
from posekit.errors import PosekitError
from posekit.files import whole_file, write_whole
from posekit.paths import REPOSITORY


def study_notebooks() -> list[Path]:
    """The numbered notebooks of the checkout, in order."""
    return sorted((REPOSITORY / "notebooks").glob("[0-9]*.ipynb"))


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
        record_timing=False,
        on_cell_executed=lambda **_: bar.update(),
        on_notebook_start=_interrupt_as_usual,
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
        write_whole(executed, nbformat.writes(content))


async def _interrupt_as_usual(**_: object) -> None:
    """Ctrl-C becomes a KeyboardInterrupt again. nbclient's own handler ends the kernel and then fails itself."""
    try:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread: there is none
        return


def publish_notebook(notebook: Path, executed: Path, progress: bool = True) -> None:
    """Executes a notebook and writes the outputs into it, as they are committed: of the records that come with the
    repository, wherever the notebook shows a study.

    executed is a file for the outputs as they came. Raises `PosekitError` as `execute_notebook`; the notebook is
    then left as it was.
    """
    named = ("POSEKIT_SIZE", DATA_VARIABLE, *SINGLE_VARIABLES)
    execute_notebook(notebook, executed, dict.fromkeys(named, ""), progress)
    content = nbformat.read(executed, as_version=4)
    with whole_file(notebook) as stream:
        stream.write(nbformat.writes(tidy(content)).encode() + b"\n")


def tidy(executed: NotebookNode) -> NotebookNode:
    """An executed notebook without what only a running kernel can show (widgets, progress bars), and such that the
    same outputs are the same file. `metadata.posekit.source` then says which cells the outputs belong to."""
    executed.metadata.pop("widgets", None)
    executed.metadata["posekit"] = {"source": source_digest(executed)}
    for cell in executed.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs = [
            o for o in cell.outputs if "application/vnd.jupyter.widget-view+json" not in o.get("data", {})
        ]
        for output in cell.outputs:
            data = output.get("data", {})
            if "text/html" in data:  # pandas gives every styled table a random name
                data["text/html"] = re.sub(r"T_[0-9a-f]{5}", f"T_{cell.id[:5]}", data["text/html"])
            if "image/png" in data:
                kind, picture = _full_color(data.pop("image/png"))
                data[kind] = picture
            if "text/plain" in data:
                data["text/plain"] = re.sub(r" at 0x[0-9a-f]+", "", data["text/plain"])
    return executed


def _full_color(png: str) -> tuple[str, str]:
    """MIME type and base64 of a picture on white, in all its colors, as small as that gets.

    A drawing stays a PNG, without a loss. A photograph, whose JPEG is less than half as large, becomes a JPEG.
    """
    with Image.open(io.BytesIO(base64.b64decode(png))) as picture:
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=picture.getchannel("A") if "A" in picture.getbands() else None)
    written = {}
    for kind, options in (
        ("PNG", {"optimize": True}),
        ("JPEG", {"quality": 90, "subsampling": 0, "optimize": True}),
    ):
        stream = io.BytesIO()
        white.save(stream, kind, **options)
        written[kind] = stream.getvalue()
    kind = "JPEG" if 2 * len(written["JPEG"]) < len(written["PNG"]) else "PNG"
    return f"image/{kind.lower()}", base64.b64encode(written[kind]).decode()


def source_digest(notebook: NotebookNode) -> str:
    """16 hexadecimal digits of all cells' sources."""
    return hashlib.sha256("\0".join(cell.source for cell in notebook.cells).encode()).hexdigest()[:16]
