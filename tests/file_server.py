"""A server of files on this machine that misbehaves as a test asks."""

import http.server
import re
import threading

import numpy as np
import pytest

from posekit.datasets import download as module

DATA = np.random.default_rng(0).bytes(300_000)


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`; misbehaves as its attributes say, and writes down every request in `asked`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {"/file": DATA}
        self.asked: list[str | None] = []  # the Range of every request
        self.etag: str | None = '"1"'
        self.ranges = True
        self.respects_if_range = True
        self.cuts: list[int] = []  # the next answers end after so many bytes
        self.codes: list[int] = []  # the next answers are these errors
        self.announces_size = True
        self.rest = threading.Event()  # the second half of a file is sent once this is set
        self.rest.set()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """A client that goes away is what these tests are about."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, wanted = self.server, self.headers.get("Range")
        server.asked.append(wanted)
        data = server.files.get(self.path)
        if data is None or server.codes:
            return self.send_error(404 if data is None else server.codes.pop(0))
        start, total = 0, len(data)
        condition = self.headers.get("If-Range")
        changed = server.respects_if_range and condition is not None and condition != server.etag
        if wanted and server.ranges and not changed:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
            if start >= total:
                return self.send_error(416)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        else:
            self.send_response(200)
        if server.etag:
            self.send_header("ETag", server.etag)
        if server.announces_size:
            self.send_header("Content-Length", str(total - start))
        self.end_headers()
        end = min(start + server.cuts.pop(0), total) if server.cuts else total
        middle = (start + end) // 2
        self.wfile.write(data[start:middle])
        server.rest.wait()
        self.wfile.write(data[middle:end])

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(module, "PAUSES", (0.01, 0.01, 0.01))
    monkeypatch.setattr(module, "TIMEOUT", 10.0)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1")
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield made
        made.shutdown()
