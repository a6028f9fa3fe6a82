"""Reading annotations: both JSON forms, the split, and every kind of bad input that a person can meet."""

import gzip
import json

import cv2
import numpy as np
import pytest
from tables import make_people

from posekit.datasets.mpii import read_mpii
from posekit.datasets.people import estimated_head_size, with_images
from posekit.errors import PosekitError
from posekit.preprocessing.batches import make_crops
from posekit.preprocessing.crop import CropRule
from posekit.skeleton import INDEX

JOINTS = [[100 + 2 * number, 50 + 10 * number] for number in range(16)]


def person(**changes: object) -> dict:
    return {
        "image": "a.jpg",
        "scale": 1.2,
        "center": [120, 130],
        "joints": JOINTS,
        "joints_vis": [1] * 16,
    } | changes


def complete_person(**changes: object) -> dict:
    record = {
        "img_paths": "a.jpg",
        "img_width": 320.0,
        "img_height": 240.0,
        "objpos": [120.0, 130.0],
        "scale_provided": 1.2,
        "joint_self": [[x, y, 1.0] for x, y in JOINTS],
        "isValidation": 0.0,
    }
    return record | changes


def folder_with(tmp_path, **files):
    (tmp_path / "annotations").mkdir()
    (tmp_path / "images").mkdir()
    for name, records in files.items():
        text = records if isinstance(records, str) else json.dumps(records)
        (tmp_path / "annotations" / f"{name}.json").write_text(text)
    return tmp_path


def test_report_form_with_its_two_files(tmp_path):
    people = read_mpii(folder_with(tmp_path, train=[person(), person()], valid=[person(image="b.jpg", scale=2)]))
    assert len(people) == 3 and people.validation.tolist() == [False, False, True]
    assert people.image[2] == "b.jpg" and people.scale[2] == 2
    assert people.joints[0].tolist() == JOINTS and people.labeled.all()


def test_complete_form_plain_and_gzipped(tmp_path):
    records = [complete_person(), complete_person(isValidation=1.0)]
    people = read_mpii(folder_with(tmp_path, everybody=records))
    assert people.validation.tolist() == [False, True] and people.image_size[0].tolist() == [320, 240]
    (tmp_path / "annotations" / "everybody.json").unlink()
    with gzip.open(tmp_path / "annotations" / "everybody.json.gz", "wt") as stream:
        json.dump(records, stream)
    assert read_mpii(tmp_path).fingerprint() == people.fingerprint()


def test_unannotated_and_occluded_joints_are_different(tmp_path):
    joints = [[x, y, 1.0] for x, y in JOINTS]
    joints[3] = [0, 0, 0]
    joints[4][2] = 0.0
    people = read_mpii(folder_with(tmp_path, everybody=[complete_person(joint_self=joints)]))
    assert not people.labeled[0, 3] and np.isnan(people.joints[0, 3]).all()
    assert people.labeled[0, 4] and not people.visible[0, 4]

    (tmp_path / "b").mkdir()
    minus = [[-1, -1] if number == 3 else joint for number, joint in enumerate(JOINTS)]
    record = person(joints=minus, joints_vis=[int(number not in (3, 4)) for number in range(16)])
    people = read_mpii(folder_with(tmp_path / "b", train=[record]))
    assert people.labeled[0].sum() == 15 and not people.visible[0, 4] and people.labeled[0, 4]


def test_only_the_two_halves_are_read_where_they_lie_beside_other_lists(tmp_path):
    files = {
        "train": [person()],
        "valid": [person()],
        "trainval": [person(), person()],
        "test": [{"image": "t.jpg"}],
    }
    assert len(read_mpii(folder_with(tmp_path, **files))) == 2


def test_one_list_of_the_report_form_gets_the_standard_split(tmp_path):
    records = [person(image="015601864.jpg"), person(image="005808361.jpg")]
    people = read_mpii(folder_with(tmp_path, trainval=records))
    # Image 005808361.jpg is among the 2,729 validation images of Tompson et al., 015601864.jpg is not.
    assert people.validation.tolist() == [False, True]


def test_head_size_is_three_quarters_of_the_head():
    joints = np.full((2, 16, 2), np.nan)
    joints[0, INDEX["upper neck"]], joints[0, INDEX["head top"]] = (100, 100), (124, 68)  # 40 px apart
    assert estimated_head_size(joints)[0] == 30
    assert np.isnan(estimated_head_size(joints)[1])


def test_mpii_has_the_people_that_it_has(mpii):
    assert (len(mpii), mpii.validation.sum()) == (25_204, 2_958)
    assert len(set(mpii.image)) == 17_408
    # The small list of validation images in the package says the same as the annotations.
    from posekit.datasets.mpii import _validation_images

    assert set(mpii.image[mpii.validation]) == _validation_images()
    assert not set(mpii.image[~mpii.validation]) & _validation_images()


def test_missing_images_leave_people_out_and_say_so(tmp_path):
    folder = folder_with(tmp_path, train=[person(), person(image="gone.jpg")], valid=[person()])
    cv2.imwrite(str(folder / "images" / "a.jpg"), np.zeros((240, 320, 3), np.uint8))
    people, left_out = with_images(read_mpii(folder))
    assert len(people) == 2
    assert left_out.startswith("1 of 3 people are left out: 1 because 1 photographs are not in")


def test_people_with_their_center_outside_the_image_are_left_out(tmp_path):
    records = [complete_person(), complete_person(objpos=[320.0, 10.0]), complete_person(objpos=[5.0, -157.0])]
    folder = folder_with(tmp_path, everybody=records)
    cv2.imwrite(str(folder / "images" / "a.jpg"), np.zeros((240, 320, 3), np.uint8))
    people, left_out = with_images(read_mpii(folder))
    assert len(people) == 1 and "2 because their center lies outside the image" in left_out


@pytest.mark.parametrize(
    "files, message",
    [
        ({"train": "[]"}, "empty"),
        ({"train": "[{"}, "cannot be read as JSON"),
        ({"train": {"people": []}}, "holds a dict, not a list"),
        ({"train": [[1, 2]]}, "entry 0.*; fetch the file again"),
        ({"train": [person(), {"image": "a.jpg"}]}, "entry 1 has no 'joints'"),
        ({"train": [person(joints=[[1, 2]])]}, "entry 0.*; fetch the file again"),
        ({"train": [person(scale="tall")]}, "entry 0.*; fetch the file again"),
        (
            {"train": [person(), person(joints=[[-1, -1]] * 16)]},
            r"person 1 \(image a.jpg\) has no annotated joint",
        ),
        ({"train": [person(scale=0)]}, "has no positive scale"),
        ({"train": [person(scale=float("nan"))]}, "has no positive scale"),
        ({"everybody": [complete_person(), {"joint_self": []}]}, "entry 1"),
        ({"train": [person(image_size=[1e999, 5])]}, "entry 0.*; fetch the file again"),
        ({"train": [person(head_size=-3)]}, "head size that is not positive"),
        ({"train": "[" * 100_000}, "cannot be read as JSON"),
        ({"everybody": [complete_person()], "others": [complete_person()]}, "holds everybody.json, others.json"),
        ({}, "no .json"),
    ],
)
def test_bad_annotations_are_one_sentence_with_file_or_person(tmp_path, files, message):
    with pytest.raises(PosekitError, match=message):
        read_mpii(folder_with(tmp_path, **files))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(PosekitError, match=r"nowhere does not exist"):
        read_mpii(tmp_path / "nowhere")


def test_a_cut_off_gzip_is_named(tmp_path):
    folder = folder_with(tmp_path)
    whole = gzip.compress(json.dumps([complete_person()] * 50).encode())
    (folder / "annotations" / "everybody.json.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PosekitError, match=r"everybody.json.gz cannot be read"):
        read_mpii(folder)


# Crops of bad people. The table below is about images of 300 x 400 px.


def cache_folders(tmp_path):
    return [path for path in (tmp_path / "cache").glob("*") if path.is_dir()]


def crop(tmp_path, write=True, **columns):
    people = make_people(2, images_folder=tmp_path, **columns)
    if write:
        for name in people.image:
            cv2.imwrite(str(tmp_path / name), np.full((400, 300, 3), 90, np.uint8))
    return make_crops(people, CropRule(size=64), tmp_path / "cache", progress=False)


def test_crops_hold_image_and_joints_of_all_people(tmp_path):
    crops = crop(tmp_path)
    assert crops.images.shape == (2, 64, 64, 3) and crops.present.all()
    # Scale 1.5: the box is 180 x 315 px, so a pixel of the crop is 315 / 64 pixels of the image.
    zoom = crops.matrices[0, 0, 0]
    assert zoom == pytest.approx(64 / 315, rel=0.01)
    np.testing.assert_allclose(np.diff(crops.joints[0, [0, 15], 1]), 240 * zoom, rtol=1e-5)


@pytest.mark.parametrize(
    "columns, message",
    [
        (
            {"center": np.array([[150.0, 200.0], [310.0, 200.0]])},
            r"person 1 \(image 1.jpg\): the center .310, 200.",
        ),
        ({"center": np.array([[-1.0, 200.0], [150.0, 200.0]])}, r"person 0 \(image 0.jpg\): the center"),
        ({"scale": np.array([1.0, 1e-3])}, r"person 1 \(image 1.jpg\): scale 0.001 gives a crop of zero size"),
        (
            {"image_size": np.array([[300, 400], [640, 480]])},
            r"1.jpg is 300 x 400 px, its annotation says 640 x 480",
        ),
    ],
)
def test_people_who_cannot_be_cropped_are_named(tmp_path, columns, message):
    with pytest.raises(PosekitError, match=message):
        crop(tmp_path, **columns)
    assert not [
        path for path in cache_folders(tmp_path) if (path / "manifest.json").exists()
    ]  # unfinished at most


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "cut off"])
def test_unreadable_images_are_named_and_nothing_half_made_stays(tmp_path, damage):
    _, whole = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (400, 300, 3), dtype=np.uint8))
    (tmp_path / "0.jpg").write_bytes(whole.tobytes())
    bad = {"empty": b"", "text": b"<html>404</html>", "cut off": whole.tobytes()[: len(whole) // 2]}
    if damage in bad:
        (tmp_path / "1.jpg").write_bytes(bad[damage])
    with pytest.raises(PosekitError, match=r"1\.jpg"):
        crop(tmp_path, write=False)
    assert not [
        path for path in cache_folders(tmp_path) if (path / "manifest.json").exists()
    ]  # unfinished at most


def test_real_photographs_become_crops(mpii, mpii_folder, tmp_path):
    """Every joint that is in the crop lies on the photograph's part of it, not on the padding."""
    if not (mpii_folder / "images").is_dir():
        pytest.skip("the photographs are not there")
    people, left_out = with_images(mpii)
    assert len(people) > 100 and (left_out or len(people) > 25_000)
    some = people.select(np.random.default_rng(0).permutation(len(people))[:60])
    crops = make_crops(some, CropRule(size=128), tmp_path, progress=False)
    assert crops.present.sum() > 0.85 * some.labeled.sum()
    xy = np.rint(crops.joints[crops.present]).astype(int).clip(0, 127)
    owner = np.nonzero(crops.present)[0]
    lit = np.asarray(crops.images)[owner, xy[:, 1], xy[:, 0]].any(axis=1)
    assert lit.mean() > 0.97  # a few joints lie on pixels that are really black
