import json

import cv2
import numpy as np
import pytest
from tables import make_people

from posekit.datasets.coco import VALIDATION_SHARE, read_coco
from posekit.datasets.coco_write import write_coco
from posekit.datasets.images import read_image, write_image
from posekit.datasets.sources import read_people
from posekit.errors import PosekitError
from posekit.preprocessing.batches import make_crops
from posekit.preprocessing.crop import CropRule, box_center_and_scale
from posekit.skeleton import INDEX, JOINTS

#: As the format's own page lists them (https://cocodataset.org/#format-data).
COCO_17 = (
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist "
    "right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle"
).split()


def person(number=1, image=1, names=COCO_17, hidden=(), missing=(), **values):
    """Somebody whose keypoint number k lies at (100 + k, 50 + 10 k), in a box of 60 x 200 px."""
    keypoints = []
    for k, name in enumerate(names):
        keypoints += [0, 0, 0] if name in missing else [100 + k, 50 + 10 * k, 1 if name in hidden else 2]
    entry = {"id": number, "image_id": image, "category_id": 1, "iscrowd": 0, "bbox": [90.5, 40.5, 60, 200]}
    return entry | {"keypoints": keypoints} | values


def content(*people, photographs=1, names=COCO_17, **values):
    files = [{"id": k, "file_name": f"{k}.jpg", "width": 300, "height": 400} for k in range(1, photographs + 1)]
    category = {"id": 1, "name": "person", "keypoints": list(names), "skeleton": []}
    return {"images": files, "categories": [category], "annotations": list(people)} | values


@pytest.fixture
def written(tmp_path):
    def write(given, name="own.json", photographs=True):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(given if isinstance(given, str) else json.dumps(given))
        if photographs:
            for image in given["images"]:
                write_image(path.parent / image["file_name"], np.zeros((400, 300, 3), np.uint8))
        return path

    return write


def place(people, joint):
    return people.joints[0, INDEX[joint]].tolist()


def test_cocos_17_keypoints_become_mpiis_joints(written):
    people, left_out = read_coco(written(content(person(hidden=["left_wrist"], missing=["right_ankle"]))))
    assert left_out == "" and people.name == "coco-own"
    assert place(people, "left shoulder") == [105, 100] and place(people, "right knee") == [114, 190]
    assert place(people, "thorax") == [105.5, 105]  # the middle of keypoints 5 and 6
    assert place(people, "pelvis") == [111.5, 165]  # of 11 and 12
    unlabeled = {JOINTS[k] for k in np.flatnonzero(~people.labeled[0])}
    assert unlabeled == {"upper neck", "head top", "right ankle"}
    hidden = {JOINTS[k] for k in np.flatnonzero(people.labeled[0] & ~people.visible[0])}
    assert hidden == {"left wrist"}


def test_a_middle_needs_both_ends(written):
    people, _ = read_coco(written(content(person(missing=["left_hip"], hidden=["left_shoulder"]))))
    assert not people.labeled[0, INDEX["pelvis"]]
    assert people.labeled[0, INDEX["thorax"]] and not people.visible[0, INDEX["thorax"]]


def test_joints_are_found_by_name_in_any_order(written):
    names = [name.title().replace(" ", "-") for name in reversed(JOINTS)]
    people, left_out = read_coco(written(content(person(names=names), names=names)))
    assert left_out == "" and people.labeled.all()
    assert place(people, "left wrist") == [100, 50] and place(people, "right ankle") == [115, 200]
    assert place(people, "pelvis") == [109, 140]  # as annotated, not the middle of the hips


def test_a_keypoint_of_another_name_is_left_out_and_named(written):
    names = [*COCO_17[:9], "left_wirst", *COCO_17[10:]]
    people, left_out = read_coco(written(content(person(names=names), names=names)))
    assert "left wirst" in left_out and "nose" not in left_out
    assert not people.labeled[0, INDEX["left wrist"]]


def test_center_and_scale_come_from_the_box_as_in_predict(written):
    from posekit.inference.predictor import Predictor

    class Asked(Predictor):
        def __init__(self):
            self.rule = CropRule(width=230, height=230, size=64)

    inside, beyond = person(1), person(2, bbox=[-20, 300, 80, 150])  # the second one leaves the image
    people, _ = read_coco(written(content(inside, beyond)))
    assert people.center[0].tolist() == [120, 140] and people.scale[0] == 1  # edges lie half a px before centers
    image = np.random.default_rng(0).integers(0, 255, (400, 300, 3), np.uint8)
    for number, (left, top, right, bottom) in enumerate([(90, 40, 150, 240), (-20.5, 299.5, 59.5, 449.5)]):
        crop, matrix = Asked().crop_box(image, np.array([left, top, right, bottom]))
        same, its = Asked().crop(image, people.center[number], people.scale[number])
        assert np.array_equal(crop, same) and np.array_equal(matrix, its)


def test_without_a_box_the_limbs_say_center_and_scale(written):
    from posekit.datasets.lsp import center_and_scale

    given = content(*(person(k, bbox=box) for k, box in enumerate([None, [], [0, 0, 0, 0]])))
    del given["annotations"][0]["bbox"]
    people, _ = read_coco(written(given))
    center, scale = center_and_scale(people.joints)
    assert np.array_equal(people.center, center) and np.array_equal(people.scale, scale)
    # MPII's head is 25 px long at scale 1; upper neck and head top are not there.
    assert people.head_size == pytest.approx(25 * scale) and people.head_size_estimated.all()


def test_head_size_comes_from_neck_and_head_top_where_they_are_annotated(written):
    people, _ = read_coco(written(content(person(names=JOINTS), names=JOINTS)))
    assert people.head_size[0] == pytest.approx(0.75 * np.hypot(1, 10))  # keypoints 8 and 9


def test_who_is_no_person_is_left_out_and_counted(written):
    given = content(
        person(1),
        person(2, iscrowd=1),
        person(3, missing=COCO_17),
        person(4, keypoints=[]),
        person(5, category_id=7),
        person(6, bbox=None, missing=COCO_17[1:]),
        person(7, bbox=None, missing=COCO_17[:-1]),
    )
    given["categories"].append({"id": 7, "name": "kite"})
    people, left_out = read_coco(written(given))
    assert len(people) == 1
    assert "6 of 7 annotations are left out" in left_out
    assert "3 without labeled joints" in left_out and "1 crowds" in left_out  # the nose of person 6 is no joint
    assert "1 of categories without a person's joints" in left_out and "1 with neither a box" in left_out


def test_a_fifth_of_the_images_is_for_validation_and_no_image_is_on_both_sides(written):
    given = content(*(person(k, 1 + k // 2) for k in range(100)), photographs=50)
    people, _ = read_coco(written(given, photographs=False))
    sides = {(image, bool(side)) for image, side in zip(people.image, people.validation, strict=True)}
    assert len(sides) == 50
    assert sum(side for _, side in sides) == VALIDATION_SHARE * 50
    again, _ = read_coco(written(content(*reversed(given["annotations"]), photographs=50), photographs=False))
    assert {(i, bool(s)) for i, s in zip(again.image, again.validation, strict=True)} == sides


def test_an_image_keeps_its_side_when_others_are_added(written):
    def sides(images):
        given = content(*(person(k, k) for k in range(1, images + 1)), photographs=images)
        people, _ = read_coco(written(given, photographs=False))
        return dict(zip(people.image.tolist(), people.validation.tolist(), strict=True))

    few, more = sides(40), sides(50)
    changed = [image for image in few if few[image] != more[image]]
    assert len(changed) <= 2  # a draw of its own would move about 13


@pytest.mark.parametrize("name", ["2.jpg", "images/2.jpg", "images/session/2.jpg"])
def test_photographs_beside_the_file_or_in_images(tmp_path, written, name):
    written(content(person(1, 1), person(2, 2), photographs=2), photographs=False)
    for file in ("1.jpg", name):
        write_image(tmp_path / file, np.zeros((400, 300, 3), np.uint8))
    people, left_out = read_people([tmp_path / "own.json"])
    assert left_out == "" and people.name == "coco-own-2"
    assert people.images_folder / people.image[1] == tmp_path / name


def test_photographs_of_cvats_and_cocos_folders_are_found(tmp_path, written):
    path = written(content(person()), "annotations/person_keypoints_default.json", photographs=False)
    for folder in ("images", "images/default", "default"):
        write_image(tmp_path / folder / "1.jpg", np.zeros((400, 300, 3), np.uint8))
        people, left_out = read_people([path])
        assert left_out == "" and people.images_folder == tmp_path / folder
        (tmp_path / folder / "1.jpg").unlink()


def test_a_path_of_windows_is_a_path(tmp_path, written):
    given = content(person())
    given["images"][0]["file_name"] = "images\\sub\\1.jpg"
    path = written(given, photographs=False)
    write_image(tmp_path / "images" / "sub" / "1.jpg", np.zeros((400, 300, 3), np.uint8))
    assert read_people([path])[1] == ""


def test_missing_photographs_are_reported(tmp_path, written):
    path = written(content(person(1, 1), person(2, 2), photographs=2))
    (tmp_path / "2.jpg").unlink()
    people, left_out = read_people([path])
    assert len(people) == 1 and "1 photographs are not in" in left_out
    (tmp_path / "1.jpg").unlink()
    with pytest.raises(PosekitError, match="none of the 2 annotated people has its photograph"):
        read_people([path])


@pytest.mark.parametrize("orientation, turned", [(6, -1), (3, 2), (8, 1)])
def test_a_photograph_of_a_telephone_is_turned_upright_as_in_predict(tmp_path, orientation, turned):
    """What the tools show is upright, whatever is stored: the crop must show the person that they show."""
    upright = np.zeros((400, 300, 3), np.uint8)
    upright[45:245, 95:145] = [255, 0, 0]
    pixels = cv2.imencode(".jpg", np.rot90(upright, -turned)[..., ::-1])[1].tobytes()
    tag = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" + bytes([orientation]) + bytes(7)
    app1 = b"\xff\xe1" + (len(tag) + 2).to_bytes(2) + tag
    (tmp_path / "1.jpg").write_bytes(pixels[:2] + app1 + pixels[2:])
    assert np.abs(read_image(tmp_path / "1.jpg", upright=True).astype(int) - upright).mean() < 2
    (tmp_path / "own.json").write_text(json.dumps(content(person(bbox=[95, 45, 50, 200]))))
    people, _ = read_people([tmp_path / "own.json"])
    crops = make_crops(people, CropRule(width=230, height=230, size=64), tmp_path / "cache", progress=False)
    reds = np.argwhere(crops.images[0][..., 0] > 128)
    np.testing.assert_allclose(reds.mean(axis=0), 31.5, atol=1)  # the middle of the box is that of the crop
    height, width = np.ptp(reds, axis=0) + 1
    assert height == pytest.approx(64 / 1.15, abs=2) and width == pytest.approx(16 / 1.15, abs=2)


def test_a_byte_order_mark_is_no_fault(written, tmp_path):
    path = written(content(person()))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_coco(path)[0]) == 1


def without(key):
    given = content(person())
    del given[key]
    return given


BAD = {
    "not JSON": ("people", "is not a JSON file"),
    "a list": ("[]", "holds a list, as COCO's files of results do"),
    "no categories": (without("categories"), "no list 'categories'"),
    "empty categories": (content(person(), categories=[]), "'categories' is empty"),
    "zero people": (content(), "'annotations' is empty"),
    "nobody with joints": (
        content(person(missing=COCO_17)),
        "1 of 1 annotations are left out: 1 without labeled joints; annotate",
    ),
    "boxes alone": (content(person(), categories=[{"id": 1, "name": "person"}]), "no category names keypoints"),
    "other creatures": (content(person(), names=["tail"] * 17), r"none of its keypoints \(tail\)"),
    "a name twice": (content(person(), names=["left_hip", *COCO_17[1:]]), "names the keypoint 'left hip' twice"),
    "another length": (
        content(person(7, keypoints=[1, 2, 2])),
        "annotation 7: 3 numbers of keypoints instead of 51",
    ),
    "words": (content(person(7, keypoints=["a"] * 51)), "annotation 7: its keypoints must be a list of numbers"),
    "visibility": (content(person(7, keypoints=[1, 2, 3] * 17)), "annotation 7: a keypoint's third number"),
    "not a number": (content(person(7, keypoints=[float("nan"), 2, 2] * 17)), "annotation 7: a keypoint's place"),
    "annotations of one id": (content(person(7), person(7)), "annotation 7: another one has the same id"),
    "images of one id": (content(person(), images=[{"id": 1, "file_name": "a"}] * 2), "image 1: another one has"),
    "no file name": (content(person(), images=[{"id": 1}]), "image 1 has no 'file_name'"),
    "unknown image": (content(person(7, image=9)), "annotation 7: the file has no image 9"),
    "no image": (content({"id": 7}), "annotation 7 has no 'image_id'"),
    "box outside": (content(person(7, bbox=[400, 10, 50, 50])), r"annotation 7: its box .* outside .* 300 x 400"),
    "box without width": (content(person(7, bbox=[40, 10, 0, 50])), "annotation 7: its box .* no positive width"),
    "size of words": (
        content(person(), images=[{"id": 1, "file_name": "a", "width": "wide", "height": 9}]),
        "image 1: width and height must be whole numbers, not 'wide' and 9; correct it",
    ),
    "id of a list": (content(person([1])), r"annotation \[1\] is not written as it should be; correct it"),
    "a name too long": (content(person(), images=[{"id": 1, "file_name": 300 * "a"}]), "cannot be looked for"),
    "box of three": (content(person(7, bbox=[40, 10, 5])), "annotation 7: its box must be four numbers"),
    "box of words": (content(person(7, bbox=["a"] * 4)), "annotation 7: its box must be a list of numbers"),
}


@pytest.mark.parametrize("given, sentence", BAD.values(), ids=BAD.keys())
def test_a_bad_file_gets_one_sentence(written, given, sentence):
    path = written(given, photographs=False)
    with pytest.raises(PosekitError, match=sentence) as caught:
        read_coco(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_not_utf_8_or_not_there_gets_one_sentence(tmp_path):
    (tmp_path / "own.json").write_text(json.dumps(content(person())), encoding="utf-16")
    with pytest.raises(PosekitError, match="not a JSON file in UTF-8"):
        read_people([tmp_path / "own.json"])
    with pytest.raises(PosekitError, match="cannot be read"):
        read_people([tmp_path / "other.json"])


def test_what_is_written_is_read_back_to_the_same_joints(tmp_path):
    joints = make_people(4).joints + np.random.default_rng(0).uniform(-40, 40, (4, 16, 2)).round(2)
    joints[1, :5] = np.nan
    visible = np.isfinite(joints).all(axis=2) & (np.arange(16) % 3 > 0)
    image = np.array(["b.jpg", "a.jpg", "b.jpg", "sub/c.jpg"])
    people = make_people(4, joints=joints, visible=visible, image=image, images_folder=tmp_path / "photographs")
    path = tmp_path / "annotated" / "own.json"
    write_coco(path, people)
    back, left_out = read_coco(path)
    order = [0, 2, 1, 3]  # image after image
    assert left_out == ""
    np.testing.assert_allclose(back.joints, joints[order], atol=0.005)
    assert np.array_equal(back.visible, visible[order])
    assert back.image_size.tolist() == [[300, 400]] * 4
    low, high = np.nanmin(joints, axis=1)[order], np.nanmax(joints, axis=1)[order]
    np.testing.assert_allclose(back.center, (low + high) / 2, atol=0.01)
    np.testing.assert_allclose(back.scale, (high - low).max(axis=1) / 200, atol=1e-4)
    for file in image:
        write_image(tmp_path / "photographs" / file, np.zeros((400, 300, 3), np.uint8))
    found, _ = read_coco(path)
    assert (found.images_folder / found.image[0]).samefile(tmp_path / "photographs" / "b.jpg")
    with pytest.raises(PosekitError, match="exists already"):
        write_coco(path, people)


def test_pelvis_and_thorax_are_the_middles_that_the_reader_takes(mpii):
    """The measurement behind `MIDDLES`, and behind leaving the upper neck out."""
    from posekit.datasets.coco import MIDDLES

    def distances(joint, ends):
        middle = mpii.joints[:, [INDEX[end] for end in ends]].mean(axis=1)
        found = np.linalg.norm(mpii.joints[:, INDEX[joint]] - middle, axis=1) / mpii.head_size
        return found[np.isfinite(found)]

    for joint, ends in MIDDLES.items():
        assert np.quantile(distances(joint, ends), 0.9) < 0.0155
    assert (distances("upper neck", MIDDLES["thorax"]) > 0.5).mean() == pytest.approx(1 / 6, abs=0.01)


def test_head_sizes_from_limbs_are_near_mpiis_own(mpii):
    from posekit.datasets.lsp import center_and_scale
    from posekit.datasets.people import HEAD_SIZE_OVER_SCALE

    assert np.nanmedian(mpii.head_size / mpii.scale) == pytest.approx(HEAD_SIZE_OVER_SCALE, abs=0.01)
    ratio = HEAD_SIZE_OVER_SCALE * center_and_scale(mpii.joints)[1] / mpii.head_size
    error = np.abs(ratio[np.isfinite(ratio)] - 1)
    assert np.quantile(error, 0.5) < 0.105 and np.quantile(error, 0.9) < 0.275


def test_a_box_gives_a_crop_with_some_space_around_it():
    box = np.array([100.0, 50.0, 180.0, 400.0])
    center, scale = box_center_and_scale(CropRule(width=230, height=230), box)
    assert center.tolist() == [140, 225] and scale == 1.75
