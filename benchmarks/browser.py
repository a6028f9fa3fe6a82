"""JupyterLab or voila on a free port, and Chromium to open their pages: for the browser tests and a benchmark."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def why_not() -> str:
    """Why no browser can be started here; "" if one can."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "the package playwright is missing: pip install --requirement requirements.lock"
    return "" if CHROMIUM else "Chromium is missing: on Debian, apt install chromium"


@contextmanager
def server(command: str, folder: Path, environment: dict[str, str], *arguments: str) -> Iterator[str]:
    """`jupyter lab` or `voila` for the notebooks of a folder, until the block ends; gives its address.

    The server itself takes a free port. Raises `RuntimeError` with the end of its log if it does not start.
    """
    arguments = ("--no-browser", "--port=0", *arguments)
    if command == "lab":
        arguments += ("--allow-root", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}")
    log = folder / f"{command}.log"
    # Nobody's own settings and open tabs, and no question whether news are wanted.
    settings = {
        name: str(folder / "settings") for name in ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    }
    notification = folder / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    notification.parent.mkdir(parents=True, exist_ok=True)
    notification.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *(["jupyter", "lab"] if command == "lab" else ["voila"]), *arguments],
            cwd=folder,
            env={**os.environ, **settings, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            process.wait(timeout=600)


def _address(server: subprocess.Popen, log: Path) -> str:
    """Where a server that was just started listens; waits until it does."""
    while server.poll() is None:
        with suppress(psutil.Error):  # it ended in this moment
            for connection in psutil.Process(server.pid).net_connections("tcp4"):
                if connection.status == psutil.CONN_LISTEN:
                    return f"http://127.0.0.1:{connection.laddr.port}"
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-3000:]}")


@contextmanager
def chromium() -> Iterator:
    """A headless Chromium; one at a time in a process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Without its sandbox, which containers and root cannot have; it sees nothing but this machine's own pages.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def run_in_lab(page, address: str, notebook: str) -> None:
    """Opens a notebook and runs all its cells; returns when the kernel is at work."""
    page.goto(f"{address}/lab/tree/{notebook}", timeout=600_000)
    page.get_by_text("| Idle").wait_for(timeout=600_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def slider(page, name: str):
    """The handle of the first slider of this name; with it in focus, arrow keys move it."""
    return page.locator(".widget-slider").filter(has_text=name).first.locator(".noUi-handle").first


def milliseconds_to_picture(page, name: str, keys: list[str]) -> list[float]:
    """For each key pressed on a slider, how long until the first picture is another one, as the page sees it."""
    picture = page.locator("img.widget-image").first
    picture.evaluate(
        """image => {
            window.waits = [];
            document.addEventListener("keydown", () => { window.pressed = performance.now(); }, true);
            image.onload = () => window.waits.push(performance.now() - window.pressed);
        }"""
    )
    slider(page, name).focus()
    for number, key in enumerate(keys):
        page.keyboard.press(key)
        page.wait_for_function("number => window.waits.length > number", arg=number)
        page.wait_for_timeout(60)  # tables and captions come behind the picture
    return page.evaluate("window.waits")
