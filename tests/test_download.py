"""Downloads from a server on this machine that misbehaves."""

import errno
import hashlib
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from archives import disk_of, only, tar_of, zip_of
from typer.testing import CliRunner

from posekit.cli.mpii import mpii_app
from posekit.datasets import download as module
from posekit.datasets.download import MPII_ANNOTATIONS, MPII_IMAGES, download, download_mpii
from posekit.errors import PosekitError

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


def fetch(server, path, **options):
    return download(f"{server.url}/file", path / "file", progress=False, **options)


def test_a_whole_file_arrives_and_nothing_else_stays(server, tmp_path):
    digest = hashlib.sha256(DATA).hexdigest()
    for _ in range(2):  # the second time without a request
        assert fetch(server, tmp_path, sha256=digest.upper(), size=len(DATA)).read_bytes() == DATA
    assert server.asked == [None]
    only(tmp_path, "file")


def test_a_cut_connection_goes_on_at_its_byte(server, tmp_path):
    server.cuts = [100_000, 50_000, 0, 70_000]
    fetch(server, tmp_path)
    at = [None, "bytes=100000-", "bytes=150000-", "bytes=150000-", "bytes=220000-"]
    assert server.asked == at and (tmp_path / "file").read_bytes() == DATA
    only(tmp_path, "file")


def test_a_server_that_stays_away_is_given_up_and_the_next_run_goes_on(server, tmp_path):
    server.cuts = [100_000] + [0] * 4
    with pytest.raises(PosekitError, match=r"cut after 100000 of 300000 bytes.*run the same command again"):
        fetch(server, tmp_path)
    assert len(server.asked) == 1 + 4
    assert (tmp_path / "file.partial").read_bytes() == DATA[:100_000]
    fetch(server, tmp_path)
    assert server.asked[-1] == "bytes=100000-" and (tmp_path / "file").read_bytes() == DATA


def test_without_range_it_starts_over(server, tmp_path):
    server.ranges, server.cuts = False, [100_000, 200_000]
    assert fetch(server, tmp_path).read_bytes() == DATA
    assert server.asked == [None, "bytes=100000-", "bytes=200000-"]


@pytest.mark.parametrize("respects_if_range", [True, False])
@pytest.mark.parametrize("length", [300_000, 250_000, 50_000])
def test_a_file_that_changed_meanwhile_is_fetched_anew(server, tmp_path, respects_if_range, length):
    server.cuts, server.respects_if_range = [100_000] + [0] * 4, respects_if_range
    with pytest.raises(PosekitError):
        fetch(server, tmp_path)
    server.files["/file"], server.etag = DATA[::-1][:length], '"2"'
    assert fetch(server, tmp_path).read_bytes() == DATA[::-1][:length]
    only(tmp_path, "file")


def test_without_etag_the_size_tells_whether_it_is_the_same_file(server, tmp_path):
    server.etag, server.cuts = None, [100_000]
    assert fetch(server, tmp_path).read_bytes() == DATA
    assert server.asked == [None, "bytes=100000-"]
    (tmp_path / "file").unlink()
    server.cuts = [100_000] + [0] * 4
    with pytest.raises(PosekitError):
        fetch(server, tmp_path)
    server.files["/file"] = DATA[::-1] + b"more"
    assert fetch(server, tmp_path).read_bytes() == DATA[::-1] + b"more"


def test_another_address_does_not_go_on_with_this_partial(server, tmp_path):
    server.cuts = [100_000] + [0] * 4
    with pytest.raises(PosekitError):
        fetch(server, tmp_path)
    server.files["/other"] = DATA[::-1]
    path = download(f"{server.url}/other", tmp_path / "file", progress=False)
    assert path.read_bytes() == DATA[::-1] and server.asked[-1] is None


def test_a_wrong_byte_is_kept_aside_and_the_next_run_starts_over(server, tmp_path):
    digest = hashlib.sha256(DATA).hexdigest()
    wrong = DATA[:1234] + bytes([DATA[1234] ^ 1]) + DATA[1235:]
    server.files["/file"] = wrong
    with pytest.raises(PosekitError, match=r"SHA-256 .* not .*file\.wrong.*run the same command again"):
        fetch(server, tmp_path, sha256=digest)
    only(tmp_path, "file.wrong")
    assert (tmp_path / "file.wrong").read_bytes() == wrong
    server.files["/file"] = DATA
    assert fetch(server, tmp_path, sha256=digest).read_bytes() == DATA and server.asked[-1] is None


def test_a_file_that_is_there_is_checked_but_never_replaced(server, tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    for known in ({"size": len(DATA)}, {"sha256": hashlib.sha256(DATA).hexdigest()}):
        with pytest.raises(PosekitError, match=r"is there already but has .* move it away"):
            fetch(server, tmp_path, **known)
    assert (tmp_path / "file").read_bytes() == b"mine" and not server.asked


def test_another_size_than_expected_is_refused_before_it_is_fetched(server, tmp_path):
    with pytest.raises(PosekitError, match="has 300000 bytes, not 5"):
        fetch(server, tmp_path, size=5)
    only(tmp_path)


def test_without_an_announced_size_the_known_one_finds_the_cut(server, tmp_path):
    server.announces_size, server.cuts = False, [100_000]
    assert fetch(server, tmp_path, size=len(DATA)).read_bytes() == DATA
    assert len(server.asked) == 2


def test_errors_that_pass_are_tried_again_and_others_are_not(server, tmp_path):
    server.codes = [503, 500, 429]
    assert fetch(server, tmp_path).read_bytes() == DATA
    for code, asked in ((403, 1), (404, 1)):
        server.asked.clear()
        server.codes = [code]
        with pytest.raises(PosekitError, match=f"answers {code} .*check the address"):
            fetch(server, tmp_path / "b")
        assert len(server.asked) == asked


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://a/b", "http://", "http://[", "http://a b/c", ""])
def test_what_is_no_address_is_refused(server, tmp_path, url):
    with pytest.raises(PosekitError):
        download(url, tmp_path / "file", progress=False)
    only(tmp_path)


def test_nobody_listening_is_a_sentence(server, tmp_path):
    with pytest.raises(PosekitError, match=r"cannot be fetched .*check address and network"):
        download("http://127.0.0.1:1/file", tmp_path / "file", progress=False)


def test_too_little_disk_is_said_before_the_first_byte(server, tmp_path, monkeypatch):
    disk_of(monkeypatch, 500_000)
    with pytest.raises(PosekitError, match=r"needs 600000 bytes of free disk at .*which has 500000 bytes"):
        fetch(server, tmp_path, room=2)
    only(tmp_path)
    fetch(server, tmp_path, room=1)


def test_a_disk_that_fills_up_keeps_what_came(server, tmp_path, monkeypatch):
    server.cuts = [100_000] + [0] * 4
    with pytest.raises(PosekitError):
        fetch(server, tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module.tqdm, "update", full)  # stands where the bytes are written
        with pytest.raises(PosekitError, match=r"No space left.*are kept in .*partial; make room"):
            fetch(server, tmp_path)
    assert fetch(server, tmp_path).read_bytes() == DATA
    assert int(server.asked[-1][6:-1]) >= 100_000


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_really_full_device_is_a_sentence(server, tmp_path):
    (tmp_path / "file.partial").symlink_to("/dev/full")
    with pytest.raises(PosekitError, match="No space left on device"):
        fetch(server, tmp_path)
    only(tmp_path, "file.partial", "file.partial.json")


def test_a_folder_that_cannot_be_made_is_a_sentence(server, tmp_path):
    (tmp_path / "there").write_text("a file")
    with pytest.raises(PosekitError, match="cannot be written"):
        fetch(server, tmp_path / "there")


def test_a_killed_process_goes_on(server, tmp_path):
    server.rest.clear()
    code = (
        "import sys; from posekit.datasets.download import download; "
        "download(sys.argv[1], sys.argv[2], progress=False)"
    )
    command = [sys.executable, "-c", code, f"{server.url}/file", str(tmp_path / "file")]
    process = subprocess.Popen(command)
    try:
        partial = tmp_path / "file.partial"
        while not (partial.exists() and partial.stat().st_size > 0):
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
        server.rest.set()
    have = partial.stat().st_size
    assert process.returncode == -signal.SIGKILL and 0 < have < len(DATA)
    assert partial.read_bytes() == DATA[:have]
    assert fetch(server, tmp_path).read_bytes() == DATA
    assert server.asked == [None, f"bytes={have}-"]


@pytest.fixture
def mirror(server, tmp_path):
    (tmp_path / "server").mkdir()
    photographs = {f"images/{number:09d}.jpg": DATA[number : number + 5000] for number in range(20)}
    annotations = {
        "mpii_human_pose_v1_u12_2/mpii_human_pose_v1_u12_1.mat": b"matlab",
        "mpii_human_pose_v1_u12_2/bsd.txt": b"licence",
        "__MACOSX/mpii_human_pose_v1_u12_2/._mpii_human_pose_v1_u12_1.mat": b"mac",
    }
    server.files = {
        f"/mpii/{MPII_IMAGES}": tar_of(tmp_path / "server" / "a.tar.gz", photographs).read_bytes(),
        f"/mpii/{MPII_ANNOTATIONS}": zip_of(tmp_path / "server" / "a.zip", annotations).read_bytes(),
    }
    return server


def test_mpii_is_laid_out_flat_and_fetched_once(mirror, tmp_path):
    for _ in range(2):
        assert download_mpii(tmp_path / "mpii", f"{mirror.url}/mpii", progress=False)["images"] == 20
    assert len(mirror.asked) == 2
    only(tmp_path / "mpii", "annotations", "images", "downloaded.json")
    only(tmp_path / "mpii" / "annotations", "mpii_human_pose_v1_u12_1.mat", "bsd.txt")
    assert (tmp_path / "mpii" / "images" / "000000007.jpg").read_bytes() == DATA[7:5007]
    # A photograph that was taken away comes back, one that was changed stays as it is.
    (tmp_path / "mpii" / "images" / "000000007.jpg").unlink()
    (tmp_path / "mpii" / "images" / "000000008.jpg").write_bytes(b"mine")
    download_mpii(tmp_path / "mpii", f"{mirror.url}/mpii/", progress=False)
    assert (tmp_path / "mpii" / "images" / "000000007.jpg").read_bytes() == DATA[7:5007]
    assert (tmp_path / "mpii" / "images" / "000000008.jpg").read_bytes() == b"mine"


def test_a_wrong_byte_of_mpii_is_found_without_a_published_checksum(mirror, tmp_path):
    name = f"/mpii/{MPII_IMAGES}"
    whole = mirror.files[name]
    mirror.files[name] = whole[:-500] + bytes([whole[-500] ^ 1]) + whole[-499:]
    with pytest.raises(PosekitError, match=r"arrived damaged .*run the same command again"):
        download_mpii(tmp_path / "mpii", f"{mirror.url}/mpii", progress=False)
    assert not (tmp_path / "mpii" / "images").exists()
    assert (tmp_path / "mpii" / f"{MPII_IMAGES}.wrong").read_bytes() == mirror.files[name]
    mirror.files[name] = whole
    assert download_mpii(tmp_path / "mpii", f"{mirror.url}/mpii", progress=False)["images"] == 20


def test_an_archive_without_photographs_is_refused(mirror, tmp_path):
    mirror.files[f"/mpii/{MPII_IMAGES}"] = tar_of(tmp_path / "b.tar.gz", {"a.txt": b""}).read_bytes()
    with pytest.raises(PosekitError, match="holds no images"):
        download_mpii(tmp_path / "mpii", f"{mirror.url}/mpii", annotations=False, progress=False)


def test_the_command_asks_before_the_photographs(mirror, tmp_path):
    command = ["download", "--mpii", str(tmp_path / "mpii"), "--url", f"{mirror.url}/mpii"]
    answer = CliRunner().invoke(mpii_app, [*command, "--annotations-only"])
    assert answer.exit_code == 0 and len(mirror.asked) == 1
    answer = CliRunner().invoke(mpii_app, command, input="n\n")
    assert answer.exit_code == 0 and "12.9 GB" in answer.stdout and len(mirror.asked) == 1
    assert not (tmp_path / "mpii" / "images").exists()
    answer = CliRunner().invoke(mpii_app, [*command, "--yes"])
    assert answer.exit_code == 0 and "20 files in" in answer.stdout and len(mirror.asked) == 2
    answer = CliRunner().invoke(mpii_app, command)  # nothing is left to ask for
    assert answer.exit_code == 0 and "12.9 GB" not in answer.stdout
    assert json.loads((tmp_path / "mpii" / "downloaded.json").read_text()) == {
        MPII_ANNOTATIONS: 1,
        MPII_IMAGES: 20,
    }


def test_ctrl_c_says_that_the_same_command_goes_on(tmp_path, monkeypatch):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "download_mpii", stop)
    answer = CliRunner().invoke(mpii_app, ["download", "--mpii", str(tmp_path)])
    assert answer.exit_code == 130 and "the same command goes on from there" in answer.stderr
