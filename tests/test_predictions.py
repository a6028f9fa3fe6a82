"""Files of predictions: four forms in, two out, everything that can be wrong with them; and `posekit evaluate`."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
from tables import make_people
from typer.testing import CliRunner

from posekit.cli.cli import app
from posekit.errors import PosekitError
from posekit.evaluation.pckh import head_distances, pckh
from posekit.evaluation.prediction_files import missing_joints, read_predictions, write_predictions
from posekit.skeleton import JOINTS

PEOPLE = make_people(4)
PREDS = np.random.default_rng(0).uniform(-20, 400, (4, 16, 2)).round(2)
CONFIDENCE = np.random.default_rng(1).random((4, 16))


def tidy(joints: np.ndarray = PREDS) -> pd.DataFrame:
    rows = [
        {"person": person, "image": f"{person}.jpg", "joint": name, "x": x, "y": y}
        for person, of_person in enumerate(joints)
        for name, (x, y) in zip(JOINTS, of_person, strict=True)
    ]
    return pd.DataFrame(rows)


def written(path, joints: np.ndarray = PREDS, name: str = "preds"):
    """A file as other tools write it, of the form that its name says."""
    if path.suffix == ".mat":
        scipy.io.savemat(path, {name: joints})
    elif path.suffix == ".npz":
        np.savez(path, **{name: joints})
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as stream:
            stream[name] = joints
    else:
        tidy(joints).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("suffix", [".mat", ".h5", ".npz", ".csv"])
def test_every_form_is_read_as_it_stands(tmp_path, suffix):
    joints, people = read_predictions(written(tmp_path / f"theirs{suffix}"), PEOPLE)
    np.testing.assert_array_equal(joints, PREDS)
    assert people is PEOPLE and joints.dtype == np.float64


def test_rows_of_a_csv_may_be_in_any_order_and_have_more_columns(tmp_path):
    tidy().assign(remark="x").sample(frac=1, random_state=0).to_csv(tmp_path / "a.csv", index=False)
    np.testing.assert_array_equal(read_predictions(tmp_path / "a.csv", PEOPLE)[0], PREDS)


@pytest.mark.parametrize("suffix", [".mat", ".csv"])
def test_what_is_written_comes_back_exactly(tmp_path, suffix):
    path = tmp_path / f"ours{suffix}"
    write_predictions(path, PREDS + 1 / 3, PEOPLE.image, CONFIDENCE)
    np.testing.assert_array_equal(read_predictions(path, PEOPLE)[0], PREDS + 1 / 3)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_the_mat_file_is_what_mpiis_own_evaluation_expects(tmp_path):
    write_predictions(tmp_path / "ours.mat", PREDS, PEOPLE.image, CONFIDENCE)
    content = scipy.io.loadmat(tmp_path / "ours.mat")
    assert content["preds"].shape == (4, 16, 2) and content["preds"].dtype == np.float64
    assert content["preds"][2, 9].tolist() == PREDS[2, JOINTS.index("head top")].tolist()
    assert [str(name[0][0]) for name in content["images"]] == PEOPLE.image.tolist()


def test_the_csv_file_is_tidy(tmp_path):
    write_predictions(tmp_path / "ours.csv", PREDS, PEOPLE.image, CONFIDENCE)
    table = pd.read_csv(tmp_path / "ours.csv")
    assert list(table) == ["person", "image", "joint", "x", "y", "confidence"]
    pd.testing.assert_frame_equal(table.drop(columns="confidence"), tidy(), check_dtype=False)


def test_nothing_is_overwritten_without_asking(tmp_path):
    path = tmp_path / "ours.csv"
    path.write_text("precious")
    with pytest.raises(PosekitError, match=r"ours\.csv exists already"):
        write_predictions(path, PREDS, PEOPLE.image, CONFIDENCE)
    assert path.read_text() == "precious"
    write_predictions(path, PREDS, PEOPLE.image, CONFIDENCE, overwrite=True)
    assert path.read_text().startswith("person,image")
    with pytest.raises(PosekitError, match=r"ours\.h5: predictions are written as \.mat or \.csv"):
        write_predictions(tmp_path / "ours.h5", PREDS, PEOPLE.image, CONFIDENCE)
    with pytest.raises(PosekitError, match=r"ours\.csv cannot be written"):
        write_predictions(path / "ours.csv", PREDS, PEOPLE.image, CONFIDENCE)
    write_predictions(tmp_path / "new" / "ours.csv", PREDS, PEOPLE.image, CONFIDENCE)
    assert (tmp_path / "new" / "ours.csv").exists()


@pytest.mark.parametrize("suffix", [".mat", ".h5", ".npz", ".csv"])
def test_damaged_files_are_named(tmp_path, suffix):
    path = written(tmp_path / f"theirs{suffix}")
    whole = path.read_bytes()
    contents = [b"", whole[: len(whole) // 2], whole[:100], b"\x00\xff\xfe" * 100]
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(PosekitError, match=rf"theirs\{suffix}"):
            read_predictions(path, PEOPLE)


def test_an_npy_file_by_another_name_is_refused(tmp_path):
    with open(tmp_path / "theirs.npz", "wb") as stream:
        np.save(stream, PREDS)
    with pytest.raises(PosekitError, match=r"theirs\.npz cannot be read as an \.npz"):
        read_predictions(tmp_path / "theirs.npz", PEOPLE)


@pytest.mark.parametrize("suffix", [".mat", ".h5", ".npz"])
def test_arrays_of_something_else_are_refused(tmp_path, suffix):
    path = tmp_path / f"theirs{suffix}"
    with pytest.raises(PosekitError, match=rf"theirs\{suffix} has no variable 'preds', only joints"):
        read_predictions(written(path, name="joints"), PEOPLE)
    with pytest.raises(PosekitError, match=r"is float64 \(4, 2, 16\), not numbers of shape \(people, 16, 2\): "):
        read_predictions(written(path, PREDS.transpose(0, 2, 1)), PEOPLE)
    with pytest.raises(PosekitError, match="is about 3 people, not the 4 validation people"):
        read_predictions(written(path, PREDS[:3]), PEOPLE)


@pytest.mark.parametrize("suffix", [".h5", ".mat"])
def test_matlabs_order_is_read_where_it_is_beyond_doubt(tmp_path, suffix):
    """MATLAB's HDF5 files, its .mat files of version 7.3 among them, hold arrays with their axes reversed."""
    path = tmp_path / f"theirs{suffix}"
    with h5py.File(path, "w", userblock_size=512 if suffix == ".mat" else 0) as stream:
        stream["preds"] = PREDS.transpose()
    if suffix == ".mat":
        with path.open("r+b") as stream:
            stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    np.testing.assert_array_equal(read_predictions(path, PEOPLE)[0], PREDS)
    with h5py.File(tmp_path / "two.h5", "w") as stream:
        stream["preds"] = PREDS[:2]
    with pytest.raises(
        PosekitError, match=r"two\.h5 has the shape \(2, 16, 2\): two people, joints, x and y, or in"
    ):
        read_predictions(tmp_path / "two.h5", make_people(2))


@pytest.mark.parametrize(
    "separator, decimal, encoding",
    [
        (",", ".", "utf-8"),
        (",", ".", "utf-8-sig"),
        (";", ".", "utf-8"),
        (";", ",", "utf-8"),
        ("\t", ".", "utf-16"),
        ("\t", ",", "utf-16-be"),
    ],
)
def test_tables_of_spreadsheets_are_read(tmp_path, separator, decimal, encoding):
    path, mark = tmp_path / "theirs.csv", "\ufeff" if encoding == "utf-16-be" else ""
    path.write_text(mark + tidy().to_csv(index=False, sep=separator, decimal=decimal), encoding=encoding)
    np.testing.assert_array_equal(read_predictions(path, PEOPLE)[0], PREDS)


def test_text_is_no_prediction(tmp_path):
    scipy.io.savemat(tmp_path / "theirs.mat", {"preds": "joints"})
    with h5py.File(tmp_path / "theirs.h5", "w") as stream:
        stream.create_group("preds")
    for name in ("theirs.mat", "theirs.h5"):
        with pytest.raises(PosekitError, match="not numbers"):
            read_predictions(tmp_path / name, PEOPLE)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda table: table.drop(index=20), "person 1 has no row for 'left knee'"),
        (lambda table: pd.concat([table, table.iloc[[20]]]), "person 1 has more than one row for 'left knee'"),
        (lambda table: table[table.person != 1], "not numbered 0 to 2"),
        (lambda table: table[table.person < 3], "is about 3 people, not the 4"),
        (lambda table: table.iloc[:0], "no rows|not all numbers"),
        (lambda table: table.drop(columns="y"), "no column 'y', only person, image, joint, x; it needs"),
        (lambda table: table.replace("left knee", "left knie"), "'left knie' is no joint"),
        (lambda table: table.replace("2.jpg", "7.jpg"), "person 2 is in image 7.jpg, but that of the annotations"),
        (lambda table: table.assign(image=["9.jpg", *table.image[1:]]), "person 0 is in several images"),
        (lambda table: table.assign(x=["?", *table.x[1:]]), "column 'x' is not all numbers"),
        (lambda table: table.assign(person=table.person + 1), "not numbered 0 to 3"),
    ],
)
def test_a_wrong_csv_is_one_sentence_with_the_cause(tmp_path, change, message):
    change(tidy()).to_csv(tmp_path / "theirs.csv", index=False)
    with pytest.raises(PosekitError, match=rf"theirs\.csv.*({message})"):
        read_predictions(tmp_path / "theirs.csv", PEOPLE)


def test_other_endings_and_missing_files_are_named(tmp_path):
    with pytest.raises(PosekitError, match=r"theirs\.json: predictions are read from \.mat, \.npz, \.h5, \.csv"):
        read_predictions(tmp_path / "theirs.json", PEOPLE)
    with pytest.raises(PosekitError, match=r"no file .*theirs\.mat"):
        read_predictions(tmp_path / "theirs.mat", PEOPLE)


@pytest.mark.parametrize("suffix", [".mat", ".h5", ".npz", ".csv"])
def test_a_joint_without_a_prediction_is_a_miss_and_is_reported(tmp_path, suffix):
    joints = PEOPLE.joints.copy()
    joints[1], joints[2, 3, 0] = np.nan, np.nan
    read, people = read_predictions(written(tmp_path / f"theirs{suffix}", joints), PEOPLE)
    assert "17 of 64 annotated joints have no prediction and count as misses (2 of 4 people)" in missing_joints(
        read, people
    )
    score = pckh(head_distances(read, people.joints, people.head_size))
    assert score.weighted16 == pytest.approx(100 * 47 / 64) and score.counts.tolist() == [4] * 16
    assert missing_joints(PREDS, PEOPLE) == ""


def test_a_file_may_be_about_the_people_with_photographs_only(tmp_path):
    people = replace(PEOPLE, images_folder=tmp_path)
    for number in (1, 3):
        (tmp_path / f"{number}.jpg").touch()
    joints, about = read_predictions(written(tmp_path / "theirs.npz", PREDS[:2]), people)
    assert about.image.tolist() == ["1.jpg", "3.jpg"] and len(joints) == 2
    with pytest.raises(PosekitError, match="not the 4 validation people of the annotations or the 2 of them with"):
        read_predictions(written(tmp_path / "theirs.npz", PREDS[:3]), people)


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("suffix", [".mat", ".csv"])
def test_an_exported_file_gives_the_numbers_of_its_run(tiny_study, tmp_path, suffix):
    """The circle that others go through: train, export, evaluate the file against the annotations."""
    trained = tiny_study.run(5)
    study = ("--size", "tiny", "--mpii", tiny_study.data[0])
    path = tmp_path / f"ours{suffix}"
    result = run("evaluate", *study, "--model", 5, "--seed", 0, "--export", path, "--json")
    assert result.exit_code == 0 and "wrote" in result.stderr
    (of_the_run,) = json.loads(result.stdout).values()
    of_the_file = json.loads(run("evaluate", "--predictions", path, "--mpii", tiny_study.data[0], "--json").stdout)
    assert {key: of_the_file[key] for key in of_the_run} == pytest.approx(of_the_run, nan_ok=True)
    assert of_the_run["weighted14"] == pytest.approx(trained.history.pckh_weighted14.iloc[-1])
    assert of_the_run["weighted14_low"] <= of_the_run["weighted14"] <= of_the_run["weighted14_high"]
    again = run("evaluate", *study, "--model", 5, "--seed", 0, "--export", path)
    assert isinstance(again.exception, PosekitError) and "exists already" in str(again.exception)


def test_a_runs_own_record_can_be_evaluated(tiny_study):
    tiny_study.run(5)
    record = tiny_study.records / "model-5-seed-0" / "predictions.csv"
    result = run("evaluate", "--predictions", record, "--mpii", tiny_study.data[0])
    assert result.exit_code == 0 and "16 people" in result.stdout and "weighted14_occluded" in result.stdout


def test_export_asks_which_run(tiny_study, tmp_path):
    tiny_study.run(5)
    tiny_study.run(5, seed=1)
    study = ("--size", "tiny", "--mpii", tiny_study.data[0])
    several = run("evaluate", *study, "--export", tmp_path / "ours.mat")
    assert "say --model and --seed" in str(several.exception)
    nobody = run("evaluate", *study, "--model", 2, "--seed", 7)
    assert "no finished run of model 2 and seed 7" in str(nobody.exception)
    both = run("evaluate", *study, "--predictions", "theirs.mat", "--export", tmp_path / "ours.mat")
    assert "leave out --export" in str(both.exception)
    assert list(tmp_path.iterdir()) == []


def test_evaluate_prints_the_same_as_json(mpii_folder):
    path = mpii_folder / "evaluation" / "hourglass_2stack_predictions.mat"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    command = ["evaluate", "--predictions", path, "--mpii", mpii_folder]
    answer = json.loads(run(*command, "--json").stdout)
    assert answer["macro14"] == pytest.approx(86.76, abs=0.005)
    assert answer["left wrist"] == pytest.approx(83.02, abs=0.005)
    text = run(*command).stdout.splitlines()
    assert "2958 people" in text[0]
    printed = {line[:22].strip(): float(line[22:]) for line in text[1:]}
    assert printed == pytest.approx({key: value for key, value in answer.items() if key != "threshold"}, abs=0.005)


def test_the_reference_survives_every_form(mpii, mpii_folder, tmp_path):
    path = mpii_folder / "evaluation" / "hourglass_2stack_predictions.mat"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    people = mpii.split()[1]
    joints, _ = read_predictions(path, people)
    write_predictions(tmp_path / "theirs.csv", joints, people.image, np.ones(joints.shape[:2]))
    for name in ("theirs.h5", "theirs.npz"):
        written(tmp_path / name, joints.astype(np.float32))
    for name in ("theirs.csv", "theirs.h5", "theirs.npz"):
        np.testing.assert_array_equal(read_predictions(tmp_path / name, people)[0], joints)
