"""The crop against the report's equations, worked out by hand, and against a slow resampler."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posekit.errors import PosekitError
from posekit.preprocessing.batches import in_crop
from posekit.preprocessing.crop import (
    CropRule,
    box_center_and_scale,
    clip_box,
    crop_image,
    crop_matrix,
    inside,
    invert,
    is_empty,
    lost_joints,
    person_box,
    transform,
)
from posekit.preprocessing.heatmaps import Codec
from posekit.skeleton import INDEX, LEFT_RIGHT


def test_box_is_the_one_of_the_report():
    # top = 300 - 2 * 105, left = 500 - 2 * 60, bottom = top + 2 * 210, right = left + 2 * 120
    box = person_box(CropRule(), np.array([500.0, 300.0]), np.array(2.0))
    assert box.tolist() == [380.0, 90.0, 620.0, 510.0]


def test_box_of_height_200_keeps_the_center():
    box = person_box(CropRule(height=200), np.array([500.0, 300.0]), np.array(2.0))
    assert box.tolist() == [380.0, 100.0, 620.0, 500.0]


def test_box_is_clipped_to_the_image():
    assert clip_box(np.array([-20.0, 5.0, 90.0, 260.0]), np.array([80, 200])).tolist() == [0, 5, 80, 200]


def test_box_beside_the_image_is_empty():
    boxes = clip_box(np.array([[-50.0, 0, -10, 20], [10, 10, 20, 20]]), np.array([80, 200]))
    assert is_empty(boxes).tolist() == [True, False]


def test_matrix_by_hand():
    # A box of 10 x 20 pixels becomes 40 x 40: zoom 2, and 10 crop pixels of padding on either side.
    matrix = crop_matrix(np.array([100, 50, 110, 70]), CropRule(size=40))
    # The first pixel of the box covers 99.5 .. 100.5, so its left edge must be the crop's 10 - 0.5.
    corners = transform(matrix, np.array([[99.5, 49.5], [109.5, 69.5]]))
    np.testing.assert_allclose(corners, [[9.5, -0.5], [29.5, 39.5]])


@settings(derandomize=True, deadline=None, database=None)
@given(
    st.floats(0, 500),
    st.floats(0, 400),
    st.floats(0.3, 8),
    st.floats(-100, 700),
    st.floats(-100, 700),
    st.sampled_from([64, 96, 256]),
)
def test_inverse_matrices_lead_back(center_x, center_y, scale, x, y, size):
    box = clip_box(person_box(CropRule(), np.array([center_x, center_y]), np.array(scale)), np.array([501, 401]))
    matrix = crop_matrix(box, CropRule(size=size))
    point = np.array([[x, y]])
    np.testing.assert_allclose(transform(invert(matrix), transform(matrix, point)), point, atol=1e-8)


def test_crop_of_the_crops_own_size_is_a_copy():
    image = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    crop = crop_image(image, np.array([30, 10, 94, 74]), CropRule(size=64))
    np.testing.assert_array_equal(crop, image[10:74, 30:94])


def test_crop_is_padded_with_zeros_beside_the_box():
    image = np.full((100, 100, 3), 200, np.uint8)
    crop = crop_image(image, np.array([40, 10, 60, 50]), CropRule(size=80))  # 20 x 40 px, zoom 2
    assert (crop[:, 20:60] == 200).all()
    assert (crop[:, :20] == 0).all() and (crop[:, 60:] == 0).all()


def test_shrinking_averages_whole_blocks():
    # Zoom 1/4: every crop pixel must be the mean of 4 x 4 image pixels, written here as a double loop.
    image = np.random.default_rng(1).integers(0, 255, (128, 128, 3), dtype=np.uint8)
    crop = crop_image(image, np.array([0, 0, 128, 128]), CropRule(size=32))
    for y in range(32):
        for x in range(32):
            mean = image[4 * y : 4 * y + 4, 4 * x : 4 * x + 4].reshape(-1, 3).mean(axis=0)
            assert np.abs(crop[y, x] - mean).max() <= 0.51


@pytest.mark.parametrize("side", [64, 100, 213, 300, 811], ids=lambda side: f"box of {side} px")
def test_a_dot_lies_where_the_matrix_maps_it(side):
    """The image and the joints must go the same way, whatever the zoom."""
    size = 64
    image = np.zeros((900, 900, 3), np.uint8)
    middle = np.array([437.0, 391.0])
    radius = max(3, side // 25)
    yy, xx = np.mgrid[:900, :900]
    image[(xx - middle[0]) ** 2 + (yy - middle[1]) ** 2 <= radius**2] = 255
    box = np.array([437 - side // 2, 391 - side // 3, 437 - side // 2 + side, 391 - side // 3 + side])
    crop = crop_image(image, box, CropRule(size=size))[..., 0].astype(float)
    ys, xs = np.mgrid[:size, :size]
    found = np.array([(crop * xs).sum(), (crop * ys).sum()]) / crop.sum()
    expected = transform(crop_matrix(box, CropRule(size=size)), middle[None])[0]
    assert np.abs(found - expected).max() < 0.1


def test_impulse_through_crop_flip_encode_decode_and_back():
    """The round trip of the whole chain stays below half a crop pixel with the sub-pixel codec."""
    rng = np.random.default_rng(2)
    codec = Codec("subpixel")
    mirrored = np.arange(16)
    for right, left in LEFT_RIGHT:
        mirrored[[right, left]] = left, right
    for _ in range(50):
        center, scale = rng.uniform(150, 350, 2), rng.uniform(0.5, 3)
        box = clip_box(person_box(CropRule(), center, np.array(scale)), np.array([501, 401]))
        matrix = crop_matrix(box, CropRule(size=256))
        low, high = np.maximum(box[:2], 0), box[2:] - 1
        joints = rng.uniform(low, high, (16, 2))
        flipped = transform(matrix, joints)
        flipped[:, 0] = 255 - flipped[:, 0]
        flipped = flipped[mirrored]
        heatmaps = codec.encode(torch.from_numpy(flipped), torch.full((16,), True), (64, 64))
        answer, _ = codec.decode(heatmaps)
        answer = answer.numpy().astype(float)[mirrored]
        answer[:, 0] = 255 - answer[:, 0]
        error_in_crop_pixels = np.abs(transform(invert(matrix), answer) - joints).max() * matrix[0, 0]
        assert error_in_crop_pixels < 0.5


def test_inside_is_what_lies_on_a_pixel_of_the_box():
    box = np.array([10, 20, 30, 40])
    points = np.array([[9.4, 25], [9.6, 25], [29.4, 39.4], [29.6, 25], [np.nan, np.nan]])
    assert inside(box, points).tolist() == [False, True, True, False, False]


def test_lost_joints_counts_annotated_joints_beyond_the_box_only():
    joints = np.full((1, 16, 2), np.nan)
    joints[0, INDEX["head top"]] = [500, 91]  # box is 380 .. 620, 90 .. 510
    joints[0, INDEX["left wrist"]] = [621, 300]
    joints[0, INDEX["right ankle"]] = [500, 511]
    lost = lost_joints(CropRule(), np.array([[500.0, 300.0]]), np.array([2.0]), joints)
    assert set(np.flatnonzero(lost[0])) == {INDEX["left wrist"], INDEX["right ankle"]}


@pytest.mark.parametrize("box", [(100, 50, 180, 400), (100, 50, 400, 150)], ids=["tall", "wide"])
def test_center_and_scale_of_a_box_give_a_crop_that_holds_it(box):
    center, scale = box_center_and_scale(CropRule(), np.array(box))
    left, top, right, bottom = person_box(CropRule(), center, scale)
    assert left <= box[0] + 1e-9 and top <= box[1] + 1e-9
    assert right >= box[2] - 1e-9 and bottom >= box[3] - 1e-9
    # The scale is the longer side / 200 px, unless the report's narrow crop would then lose a part of a wide box.
    assert scale == pytest.approx({(80, 350): 350 / 200, (300, 100): 300 / 120}[box[2] - box[0], box[3] - box[1]])


def test_mpii_loses_what_is_known_to_be_lost(mpii):
    for height, people_lost, joints_lost in ((210, 36.7, 4.8), (200, 42.1, 5.6)):
        lost = lost_joints(CropRule(height=height), mpii.center, mpii.scale, mpii.joints)
        assert 100 * lost.any(axis=1).mean() == pytest.approx(people_lost, abs=0.05)
        assert 100 * lost.sum() / mpii.labeled.sum() == pytest.approx(joints_lost, abs=0.05)


def test_a_wide_box_fits_into_the_columns():
    """By hand: 60 x 40 px of image into 80 of 128 columns: 4/3 crop px per image px, from column 24 to 103."""
    rule = CropRule(width=60, height=40, size=128, columns=80)
    matrix = crop_matrix(np.array([100, 50, 160, 90]), rule)
    assert rule.span == (24, 104)
    edges = transform(matrix, np.array([[99.5, 49.5], [159.5, 89.5]]))
    np.testing.assert_allclose(edges[:, 0], [23.5, 103.5])
    np.testing.assert_allclose(np.diff(edges, axis=0)[0], [80, 80 * 40 / 60])
    image = np.full((200, 300, 3), 200, np.uint8)
    crop = crop_image(image, np.array([100, 50, 160, 90]), rule)
    assert (crop[:, :24] == 0).all() and (crop[:, 104:] == 0).all() and (crop[64, 24:104] == 200).all()
    with pytest.raises(PosekitError, match="columns"):
        CropRule(size=128, columns=90)


def test_a_tall_box_is_the_same_with_columns():
    box = np.array([100, 50, 120, 90])
    whole, part = CropRule(size=128), CropRule(size=128, columns=80)
    np.testing.assert_array_equal(crop_matrix(box, whole), crop_matrix(box, part))


def test_joints_beside_the_columns_are_not_present():
    joints = torch.tensor([[[23.4, 5], [23.6, 5], [103.4, 5], [103.6, 5], [50, -0.6], [50, 127.4]]])
    rule = CropRule(size=128, columns=80)
    assert in_crop(joints, rule).tolist() == [[False, True, True, False, False, True]]
