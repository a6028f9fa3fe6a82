"""Finds the people in a photograph and their joints, with two networks that `posekit export` wrote, without torch.

    python joints_without_torch.py finder.onnx network.onnx photo.jpg

It needs onnxruntime, numpy and opencv-python-headless, not posekit. Coordinates are (x, y) in px of the
photograph, with pixel centers at whole numbers.
"""

import json
import sys

import cv2
import numpy as np
import onnxruntime


def ask(session: onnxruntime.InferenceSession, picture: np.ndarray) -> np.ndarray:
    """The last output for an RGB picture (H, W, 3)."""
    pixels = picture.transpose(2, 0, 1)[None].astype(np.float32) / 255
    return session.run(None, {session.get_inputs()[0].name: pixels})[-1][0]


finder, network = (
    onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]) for path in sys.argv[1:3]
)
look = json.loads(finder.get_modelmeta().custom_metadata_map["posekit.finder"])
names, rule, codec = (
    json.loads(network.get_modelmeta().custom_metadata_map[f"posekit.{key}"])
    for key in ("joints", "crop", "codec")
)
image = cv2.imread(sys.argv[3])[:, :, ::-1]  # RGB; turned upright as its EXIF orientation says
sides = np.array(image.shape[1::-1])

# The finder looks at the whole photograph, small, with gray on its right and below up to whole cells.
shrink = look["side"] / sides.max()
small = cv2.resize(image, np.rint(shrink * sides).astype(int).tolist(), interpolation=cv2.INTER_AREA)
below, right = (-side % look["multiple"] for side in small.shape[:2])
maps = ask(finder, cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_CONSTANT, value=3 * [look["gray"]]))
least = min(look["least_score"], max(maps[0].max(), look["least_of_surest"]))
people = []  # score, middle and height, the surest first; two finds close together are one person
for score, *middle, height in sorted(maps[:, maps[0] >= least].T.astype(float).tolist(), reverse=True):
    middle, height = np.clip((np.array(middle) + 0.5) / shrink - 0.5, 0, sides - 1), height / shrink
    if all(np.linalg.norm(middle - there) >= look["near"] * max(height, tall) for _, there, tall in people):
        people.append((score, middle, height))

for number, (score, middle, height) in enumerate(people, start=1):
    # The network is shown a part around the person's middle, cut off at the border of the photograph.
    size, reach = rule["size"], height / 200 * np.array([rule["width"], rule["height"]]) / 2
    first, end = np.maximum(np.rint(middle - reach), 0), np.minimum(np.rint(middle + reach), sides)
    zoom = size / max((end - first) * [size / (rule["columns"] or size), 1])
    shift = (size - 1) / 2 - zoom * (first + end - 1) / 2  # crop pixel = zoom * image pixel + shift
    # Averages blocks of pixels first where the person is much larger than the crop; then shrinks exactly.
    block = max(int(1 / zoom), 1)
    blocks = sides // block
    rough = cv2.resize(
        image[: blocks[1] * block, : blocks[0] * block], blocks.tolist(), interpolation=cv2.INTER_AREA
    )
    place = np.column_stack([zoom * block * np.eye(2), shift + zoom * (block - 1) / 2])

    # It answers with a heatmap per joint, of a quarter of the crop's resolution.
    print(f"person {number}, score {score:.2f}")
    for name, heatmap in zip(names, ask(network, cv2.warpAffine(rough, place, (size, size))), strict=True):
        row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
        cell = np.array([column, row], float)
        if codec["kind"] == "subpixel":
            # How far the top of the Gaussian lies beside the middle of its largest cell.
            padded = np.pad(np.maximum(heatmap, heatmap.max() / 100), 1, mode="edge")
            near = padded[row : row + 3, column : column + 3]
            steps = np.log([near[1, 2] / near[1, 0], near[2, 1] / near[0, 1]]) * codec["sigma"] ** 2 / 2
            cell += np.clip(steps, -0.5, 0.5)
        if codec["kind"] == "region":
            # The middle of the disc that holds most of the likelihood; a sixteenth of the heatmap is its radius.
            rows, columns = np.indices(heatmap.shape)
            reach = len(heatmap) / 16 + 0.5
            kernel = np.hypot(*np.mgrid[-int(reach) : reach, -int(reach) : reach])
            mass = cv2.filter2D(heatmap, -1, np.clip(reach - kernel, 0, 1), borderType=cv2.BORDER_CONSTANT)
            row, column = np.unravel_index(mass.argmax(), mass.shape)
            disc = heatmap * np.clip(reach - np.hypot(rows - row, columns - column), 0, 1)
            cell = np.array([(disc * columns).sum(), (disc * rows).sum()]) / disc.sum()
        x, y = ((cell + 0.5) * 4 - 0.5 - shift) / zoom
        print(f"  {name:15s} {x:8.1f} {y:8.1f}   confidence {heatmap.max():.2f}")
