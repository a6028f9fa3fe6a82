"""Downloads from a server on this machine that misbehaves."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from archives import disk_of, only
from file_server import DATA

from posekit.datasets import download as module
from posekit.datasets.download import download
from posekit.errors import PosekitError


def fetch(server, path, **options):
    return download(f"{server.url}/file", path / "file", progress=False, **options)


def test_a_whole_file_arrives_and_nothing_else_stays(server, tmp_path):
    for _ in range(2):  # the second time without a request
        assert fetch(server, tmp_path).read_bytes() == DATA
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


def test_without_etag_the_size_decides_whether_it_is_the_same_file(server, tmp_path):
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


def test_a_file_that_is_there_is_never_replaced(server, tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    assert fetch(server, tmp_path).read_bytes() == b"mine" and not server.asked


def test_a_size_that_is_not_announced_is_not_asked_for(server, tmp_path):
    server.announces_size = False
    assert fetch(server, tmp_path).read_bytes() == DATA
    only(tmp_path, "file")


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


def test_a_server_that_does_not_listen_is_one_sentence(server, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/file"
        with pytest.raises(PosekitError, match=r"cannot be fetched .*check address and network"):
            download(url, tmp_path / "file", progress=False)


def test_too_little_disk_is_an_error_before_the_first_byte(server, tmp_path, monkeypatch):
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
