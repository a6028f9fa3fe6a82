"""The official MATLAB release: .mat files written here with scipy, as irregular as the real one."""

import gzip
import json
import logging

import numpy as np
import pytest
import scipy.io

from posekit.datasets.mpii import _validation_images, read_mpii, validation_people
from posekit.errors import PosekitError
from posekit.skeleton import INDEX

EMPTY = np.zeros((0, 0))


def struct(*elements: dict) -> np.ndarray:
    """A 1 x N struct array: in MATLAB all elements have all fields, and [] where nobody gave one."""
    fields = list(dict.fromkeys(field for element in elements for field in element))
    array = np.empty((1, len(elements)), [(field, object) for field in fields])
    for number, element in enumerate(elements):
        for field in fields:
            array[0, number][field] = element.get(field, EMPTY)
    return array


def points(*numbers: int, **fields: object) -> dict:
    """annopoints with these joints at (100 + 2 id, 50 + 10 id)."""
    return {"point": struct(*({"x": 100 + 2 * n, "y": 50 + 10 * n, "id": n, **fields} for n in numbers))}


def person(**changes: object) -> dict:
    rect = {
        "x1": 10,
        "y1": 20,
        "x2": 40,
        "y2": 60,
        "annopoints": points(*range(16), is_visible=1),
        "scale": 1.2,
        "objpos": {"x": 120, "y": 130},
    } | changes
    return {field: value for field, value in rect.items() if value is not None}


def picture(*people: dict, name: str = "a.jpg", **changes: object) -> dict:
    return {"image": {"name": name}, "annorect": struct(*people) if people else EMPTY} | changes


def release(*pictures: dict, **changes: object) -> dict:
    count = len(pictures)
    content = {
        "annolist": struct(*pictures),
        "img_train": np.ones((1, count)),
        "version": "12",
        "single_person": np.array([[EMPTY] for _ in range(count)], object).reshape(count, -1),
        "act": struct({"cat_name": "sports", "act_name": "curling", "act_id": 1}),
        "video_list": EMPTY,
    } | changes
    return {"RELEASE": {field: value for field, value in content.items() if value is not None}}


def read(tmp_path, content: dict):
    (tmp_path / "annotations").mkdir()
    scipy.io.savemat(tmp_path / "annotations" / "mpii_human_pose_v1_u12_1.mat", content)
    return read_mpii(tmp_path)


def test_a_person_has_the_columns_of_the_file(tmp_path):
    people = read(tmp_path, release(picture(person())))
    assert people.image.tolist() == ["a.jpg"] and not people.validation[0]
    assert people.scale[0] == 1.2 and people.center[0].tolist() == [120, 130]
    assert people.joints[0].tolist() == [[100 + 2 * n, 50 + 10 * n] for n in range(16)]
    # The head box of 30 x 40 px has a diagonal of 50 px.
    assert people.head_size[0] == pytest.approx(30) and not people.head_size_estimated[0]


def test_the_table_is_that_of_the_json_list(tmp_path):
    """The same people in both forms; only the head sizes (from boxes) are better here."""
    seen = {"id": 4, "x": 7.25, "y": 8.5, "is_visible": "0"}
    two = {"point": struct({"id": 15, "x": 1.0, "y": 2.0, "is_visible": 1}, seen)}
    rects = [person(), person(annopoints=two, scale=3)]
    from_mat = read(tmp_path, release(picture(*rects), picture(person(), name="005808361.jpg")))
    joint_self = [[[100 + 2 * n, 50 + 10 * n, 1] for n in range(16)], [[0, 0, 0] for _ in range(16)]]
    joint_self[1][4], joint_self[1][15] = [7.25, 8.5, 0], [1, 2, 1]
    images = ["a.jpg", "a.jpg", "005808361.jpg"]
    records = [
        {
            "img_paths": images[n],
            "img_width": 0,
            "img_height": 0,
            "objpos": [120, 130],
            "scale_provided": [1.2, 3, 1.2][n],
            "joint_self": joint_self[n % 2],
            "isValidation": n == 2,
        }
        for n in range(3)
    ]
    (tmp_path / "annotations" / "everybody.json").write_text(json.dumps(records))
    from_json = read_mpii(tmp_path)  # JSON goes first
    assert from_json.head_size_estimated.all() and not from_mat.head_size_estimated.any()
    for column in ("image", "center", "scale", "joints", "visible", "validation", "image_size"):
        np.testing.assert_array_equal(getattr(from_mat, column), getattr(from_json, column))


@pytest.mark.parametrize(
    "value, seen", [(1, True), (0, False), ("1", True), ("0", False), (EMPTY, True), ("", True)]
)
def test_visible_is_a_number_a_text_or_nothing(tmp_path, value, seen):
    people = read(tmp_path, release(picture(person(annopoints=points(3, 8, is_visible=value)))))
    assert people.visible[0, [3, 8]].tolist() == [seen, seen]
    assert people.labeled[0].sum() == 2 and people.visible[0].sum() == 2 * seen


def test_points_without_the_field_visible_and_a_single_point(tmp_path):
    people = read(tmp_path, release(picture(person(annopoints=points(INDEX["head top"])))))
    assert people.labeled[0].sum() == 1 and people.visible[0, INDEX["head top"]]


def test_a_point_that_is_no_number_is_not_annotated(tmp_path):
    joints = struct({"id": 2, "x": np.nan, "y": 3, "is_visible": 1}, {"id": 3, "x": 1, "y": 3, "is_visible": 1})
    people = read(tmp_path, release(picture(person(annopoints={"point": joints}))))
    assert np.flatnonzero(people.labeled[0]).tolist() == [3] == np.flatnonzero(people.visible[0]).tolist()


@pytest.mark.parametrize("box", [dict.fromkeys(("x1", "y1", "x2", "y2")), {"x2": EMPTY}, {"x2": 10, "y2": 20}])
def test_without_a_head_box_the_head_size_is_estimated(tmp_path, box):
    people = read(tmp_path, release(picture(person(**box))))
    # Upper neck (116, 130) and head top (118, 140) are 10.198 px apart.
    assert people.head_size[0] == pytest.approx(0.75 * np.hypot(2, 10)) and people.head_size_estimated[0]


def test_people_who_cannot_be_used_are_left_out_and_counted(tmp_path, caplog):
    only_head_box = {"x1": 1, "y1": 2, "x2": 3, "y2": 4}
    pictures = [
        picture(person(), only_head_box, person(annopoints=EMPTY), person(scale=None), person(scale=np.nan)),
        picture(person(objpos=EMPTY), person(objpos={"x": 3, "y": EMPTY}), person(), name="b.jpg"),
        picture(name="c.jpg"),
        {"image": {"name": "d.jpg"}},
        picture(only_head_box, name="e.jpg"),  # a struct array that has neither annopoints nor scale at all
        picture(person(annopoints={"point": EMPTY}), name="f.jpg"),
    ]
    with caplog.at_level(logging.INFO):
        people = read(tmp_path, release(*pictures))
    assert people.image.tolist() == ["a.jpg", "b.jpg"]
    assert (
        "8 of 10 people of the train images are left out: 4 because they have no annotated joint; "
        "2 because they have no scale; 2 because they have no center"
    ) in caplog.text


def test_there_is_no_message_when_nobody_is_left_out(tmp_path, caplog):
    with caplog.at_level(logging.INFO):
        assert len(read(tmp_path, release(picture(person())))) == 1
    assert "left out" not in caplog.text


def test_test_images_are_not_read(tmp_path):
    pictures = [picture(person(), name="train.jpg"), picture(person(annopoints=None), name="test.jpg")]
    people = read(tmp_path, release(*pictures, img_train=np.array([[1, 0]])))
    assert people.image.tolist() == ["train.jpg"]


def test_single_person_does_not_choose(tmp_path):
    numbers = np.empty((1, 1), object)
    numbers[0, 0] = np.array([[2]])
    assert len(read(tmp_path, release(picture(person(), person()), single_person=numbers))) == 2


def test_of_a_validation_image_only_the_people_of_the_split_are_read(tmp_path, caplog):
    # In 000025245.jpg the split names the fourth person.
    crowd = [person(scale=number) for number in range(1, 6)]
    with caplog.at_level(logging.INFO):
        people = read(tmp_path, release(picture(*crowd, name="000025245.jpg"), picture(person())))
    assert people.validation.tolist() == [True, False] and people.scale[0] == 4
    assert "4 because they stand beside the validation people" in caplog.text


def test_the_split_is_the_one_of_the_annotations(mpii_folder):
    (path,) = (mpii_folder / "annotations").glob("*.json.gz")
    records = [r for r in json.loads(gzip.decompress(path.read_bytes())) if r["isValidation"]]
    named = sorted((image, number) for image, people in validation_people().items() for number in people)
    assert len(named) == 2_958 and len(_validation_images()) == 2_729
    assert named == sorted((r["img_paths"], int(r["people_index"])) for r in records)


def test_real_people_written_as_a_release_are_read_as_the_same_table(mpii, tmp_path):
    """1,500 people of the JSON list, through a .mat file and back."""
    real = mpii
    real = real.select(np.flatnonzero(~real.validation)[:1500])
    pictures = []
    for image in dict.fromkeys(real.image):
        rects = []
        for n in np.flatnonzero(real.image == image):
            ids = np.flatnonzero(real.labeled[n])
            xy, seen = real.joints[n], real.visible[n]
            joint = [{"x": xy[k, 0], "y": xy[k, 1], "id": k, "is_visible": int(seen[k])} for k in ids]
            center = dict(zip("xy", real.center[n], strict=True))
            rects.append({"annopoints": {"point": struct(*joint)}, "scale": real.scale[n], "objpos": center})
        pictures.append(picture(*rects, name=image))
    people = read(tmp_path, release(*pictures))
    for column in ("image", "center", "scale", "joints", "visible", "head_size"):
        np.testing.assert_array_equal(getattr(people, column), getattr(real, column))


@pytest.mark.parametrize(
    "content, message",
    [
        ({"preds": EMPTY}, r"mpii_human_pose_v1_u12_1.mat has no struct RELEASE"),
        ({"RELEASE": 3}, "has no struct RELEASE"),
        (release(picture(person()), annolist=None), "has no annolist"),
        (release(picture(person()), annolist=EMPTY), "has no annolist"),
        (release(picture(person()), img_train=None), "no img_train"),
        (release(picture(person()), img_train=np.ones((1, 2))), "img_train has 2 entries of .* for 1 images"),
        (release(picture(person()), img_train="1"), "img_train has 1 entries of <U1"),
        (release(picture(person(), image=EMPTY)), "entry 1 of annolist has people but no image.name"),
        (release(picture(person(), image={"name": 7})), "entry 1 of annolist has people but no image.name"),
        (release(picture(person(), person(scale=[1, 2]))), "person 2 of image a.jpg is malformed .scale is"),
        (release(picture(person(scale="tall"))), "person 1 of image a.jpg is malformed"),
        (release(picture(person(annopoints=points(16)))), "joint id 16.0 is none of 0 to 15"),
        (release(picture(person(annopoints=points(3, id=EMPTY)))), "joint id nan"),
        (release(picture(person(annopoints=points(3, x=[1, 2])))), "x is .* not one number"),
        (release(picture(person(scale=0))), r"person 0 .image a.jpg. has no positive scale"),
        (release(picture(person(scale=EMPTY))), "has no annotated people: 1 of 1 people"),
        (release(picture()), "v1_u12_1.mat has no annotated people"),
    ],
)
def test_what_is_no_release_is_one_sentence_with_the_file(tmp_path, content, message):
    with pytest.raises(PosekitError, match=message):
        read(tmp_path, content)


def test_what_is_no_mat_file_and_what_is_unclear_are_named(tmp_path):
    folder = tmp_path / "annotations"
    folder.mkdir()
    (folder / "one.mat").write_bytes(b"no MATLAB" * 40)
    with pytest.raises(PosekitError, match=r"one\.mat cannot be read as a \.mat file"):
        read_mpii(tmp_path)
    (folder / "two.mat").write_bytes(b"")
    with pytest.raises(PosekitError, match=r"holds one\.mat, two\.mat"):
        read_mpii(tmp_path)
    scipy.io.savemat(folder / "mpii_human_pose_v1_u12_1.mat", release(picture(person())))
    assert len(read_mpii(tmp_path)) == 1
