"""`posekit mpii download`, from a server on this machine: both archives, checked and laid out."""

import json

import pytest
from archives import only, tar_of, zip_of
from file_server import DATA
from typer.testing import CliRunner

from posekit.cli.mpii import mpii_app
from posekit.datasets import download as module
from posekit.datasets.download import MPII_ANNOTATIONS, MPII_IMAGES, download_mpii
from posekit.errors import PosekitError


@pytest.fixture
def mirror(server, tmp_path):
    (tmp_path / "server").mkdir()
    photographs = {f"images/{number:09d}.jpg": DATA[number : number + 5000] for number in range(20)}
    annotations = {
        "mpii_human_pose_v1_u12_2/mpii_human_pose_v1_u12_1.mat": b"matlab",
        "mpii_human_pose_v1_u12_2/bsd.txt": b"license",
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
