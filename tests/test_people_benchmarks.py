"""Benchmarks that find people, and those that choose or train what is shipped: each started, small."""

import csv
import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io
import torch

from posekit.datasets.lsp import LSP_JOINTS
from posekit.datasets.mpii import read_mpii
from posekit.datasets.people import People
from posekit.inference.predictor import SMALL_NETWORK
from posekit.skeleton import INDEX, mirrored_joints
from posekit.training.checkpoint import read_checkpoint
from posekit.training.finder import FinderRecipe, load_finder


def start(name: str, monkeypatch, tmp_path: Path, *arguments: object) -> None:
    """Runs a benchmark as the command line would, with a home of its own."""
    monkeypatch.setenv("POSEKIT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    importlib.import_module(name).main()


def photograph(folder: Path, people: People, numbers: list[int], validation: bool) -> list[dict]:
    """Writes a photograph with these people side by side; what MPII's list of 25,204 has of each of them."""
    pictures = [cv2.imread(str(people.images_folder / people.image[number])) for number in numbers]
    height = max(len(picture) for picture in pictures)
    shown = np.hstack([cv2.copyMakeBorder(p, 0, height - len(p), 0, 0, cv2.BORDER_REPLICATE) for p in pictures])
    left = np.cumsum([0] + [picture.shape[1] for picture in pictures[:-1]])
    moved = np.column_stack([left, np.zeros(len(left))])
    joints = people.joints[numbers] + moved[:, None]
    entries = np.dstack([np.where(np.isnan(joints), 0, joints), np.ones(joints.shape[:2])]).tolist()
    image = f"{numbers[0]}.jpg"
    cv2.imwrite(str(folder / "images" / image), shown)
    return [
        {
            "img_paths": image,
            "img_width": float(shown.shape[1]),
            "img_height": float(height),
            "isValidation": float(validation),
            "objpos": (people.center[number] + moved[at]).tolist(),
            "scale_provided": float(people.scale[number]),
            "joint_self": entries[at],
            "numOtherPeople": len(numbers) - 1,
            "joint_others": entries[:at] + entries[at + 1 :],
        }
        for at, number in enumerate(numbers)
    ]


@pytest.fixture(scope="module")
def crowds(drawn, tmp_path_factory) -> Path:
    """Two photographs of one person and two of two to train on, and as many to judge by."""
    folder, people = tmp_path_factory.mktemp("crowds"), read_mpii(drawn)
    (folder / "images").mkdir()
    (folder / "annotations").mkdir()
    shown = [[0], [1], [2, 3], [4, 5], [6], [7], [8, 9], [10, 11]]
    records = [
        record for numbers in shown for record in photograph(folder, people, numbers, validation=numbers[0] >= 6)
    ]
    (folder / "annotations" / "everybody.json").write_text(json.dumps(records))
    return folder


def test_finding_counts_photographs_and_people(crowds, tmp_path, monkeypatch, capsys):
    start("finding", monkeypatch, tmp_path, crowds, "--checkpoint", SMALL_NETWORK, "--json")
    record = json.loads(capsys.readouterr().out)
    (row,) = record["measurements"]
    one, more = row["one_person"], row["several_people"]
    assert (one["photographs"], more["photographs"], more["people"]) == (2, 2, 4)
    assert more["recall"] in (0, 25, 50, 75, 100)
    assert one["difference"][0] == pytest.approx(one["without"] - one["with_box"])


def test_the_finder_is_trained_without_the_photographs_held_out(crowds, tmp_path, monkeypatch, capsys):
    train_finder = importlib.import_module("train_finder")
    recipe = FinderRecipe(batch_size=1, warmup=1)
    monkeypatch.setattr(train_finder, "FinderRecipe", lambda: recipe)
    monkeypatch.setattr(train_finder, "held_out_photographs", lambda people: np.array(["1.jpg"]))
    start("train_finder", monkeypatch, tmp_path, crowds, "--out", tmp_path / "finder.pt", "--steps", 1)
    shown = capsys.readouterr().out
    assert "5 people in 3 photographs" in shown and "on 1 people of 1 photographs" in shown
    load_finder(tmp_path / "finder.pt", torch.device("cpu"))


def test_exchanging_the_sides_in_the_annotation_turns_the_ratio_around(drawn, tmp_path, monkeypatch):
    """The same person twice, once with right and left exchanged, in the form of LSP Extended."""
    source, folder = read_mpii(drawn), tmp_path / "lspet"
    (folder / "images").mkdir(parents=True)
    number = int(np.flatnonzero(np.isfinite(source.joints).all(axis=(1, 2)))[0])
    places = np.array([INDEX[name] for name in LSP_JOINTS])
    annotations = []
    for image, joints in (("im00001.jpg", places), ("im00002.jpg", np.array(mirrored_joints())[places])):
        shutil.copy(source.images_folder / source.image[number], folder / "images" / image)
        annotations.append(np.column_stack([source.joints[number][joints], np.ones(14)]))
    scipy.io.savemat(folder / "joints.mat", {"joints": np.stack(annotations, axis=2)})
    start("find_exchanged", monkeypatch, tmp_path, folder, tmp_path / "a.csv", "--checkpoint", SMALL_NETWORK)
    with (tmp_path / "a.csv").open() as stream:
        as_drawn, exchanged = csv.DictReader(stream)
    for half in ("legs", "arms"):
        assert float(as_drawn[half]) == pytest.approx(-float(exchanged[half]), abs=0.02) != 0


def test_a_codec_is_chosen_on_train_people_and_written_to_a_new_file(drawn, tmp_path, monkeypatch, capsys):
    out = tmp_path / "chosen.pt"
    arguments = (SMALL_NETWORK, "--data", drawn, "--people", 4, "--out", out)
    start("choose_codec", monkeypatch, tmp_path, *arguments)
    shown = capsys.readouterr().out
    assert "region minus subpixel" in shown and "4 train people" in shown
    written, shipped = read_checkpoint(out), read_checkpoint(SMALL_NETWORK)
    assert written["config"]["codec"]["kind"] in shown.splitlines()[-1]
    assert all(torch.equal(written["network"][name], weights) for name, weights in shipped["network"].items())


def test_gpu_benchmarks_write_what_they_measured(tmp_path, monkeypatch):
    """Small; the benchmark of training is started in a process, here it only answers."""
    inference = importlib.import_module("inference")
    for name, value in {"BATCHES": (1,), "SIZE": 64, "peak_megabytes": lambda *_: 1.0}.items():
        monkeypatch.setattr(inference, name, value)
    answer = subprocess.CompletedProcess([], 0, stdout='{"step": 1}\n\nkernel  ms\n')
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    start("gpu_benchmarks", monkeypatch, tmp_path, "--device", "cpu", "--out", tmp_path / "found", "--minutes", 1)
    (row,) = json.loads((tmp_path / "found" / "inference.json").read_text())["measurements"]
    assert row["batch"] == 1 and row["ratio"][0] > 0
    assert json.loads((tmp_path / "found" / "training.json").read_text()) == {"step": 1}
    assert (tmp_path / "found" / "training.txt").read_text() == "kernel  ms\n"
