"""Finds the joints of a person in a photograph, with a network that `posekit export` wrote and without torch.

    python joints_without_torch.py network.onnx photo.jpg left top right bottom

It needs onnxruntime, numpy and opencv-python-headless, not posekit. The box goes around the whole person, in px.
Coordinates are (x, y) with pixel centers at whole numbers.
"""

import json
import sys

import cv2
import numpy as np
import onnxruntime

network, photograph, box = sys.argv[1], sys.argv[2], np.array(sys.argv[3:7], float)
session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
about = session.get_modelmeta().custom_metadata_map
rule, codec = json.loads(about["posekit.crop"]), json.loads(about["posekit.codec"])
image = cv2.imread(photograph)[:, :, ::-1]  # RGB; turned upright as its EXIF orientation says

# What the network is shown: a part around the middle of the box, cut off at the border of the photograph.
size, sides = rule["size"], box[2:] - box[:2]
scale = max(sides.max() / 200, *(sides / [rule["width"], rule["height"]]))  # height of the person / 200 px
reach = scale * np.array([rule["width"], rule["height"]]) / 2
middle = (box[:2] + box[2:]) / 2
first = np.maximum(np.rint(middle - reach), 0)
end = np.minimum(np.rint(middle + reach), image.shape[1::-1])
columns = rule["columns"] or size  # that the network looks at
zoom = size / max((end - first) * [size / columns, 1])
shift = (size - 1) / 2 - zoom * (first + end - 1) / 2  # crop pixel = zoom * image pixel + shift

# Averages blocks of pixels first where the photograph is much larger than the crop; then shrinks it exactly.
block = max(int(1 / zoom), 1)
blocks = np.array(image.shape[1::-1]) // block
small = cv2.resize(image[: blocks[1] * block, : blocks[0] * block], blocks.tolist(), interpolation=cv2.INTER_AREA)
beside = shift + zoom * (block - 1) / 2
crop = cv2.warpAffine(small, np.array([[zoom * block, 0, beside[0]], [0, zoom * block, beside[1]]]), (size, size))

# Asks for heatmaps, one per joint, of a quarter of the crop's resolution, and takes the largest cell of each.
heatmaps = session.run(None, {"crops": crop.transpose(2, 0, 1)[None].astype(np.float32) / 255})[-1][0]
for name, heatmap in zip(json.loads(about["posekit.joints"]), heatmaps, strict=True):
    row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
    cell = np.array([column, row], float)
    if codec["kind"] == "subpixel":  # how far the top of the Gaussian lies beside the middle of its largest cell
        values = np.pad(np.maximum(heatmap, heatmap.max() / 100), 1, mode="edge")[
            row : row + 3, column : column + 3
        ]
        steps = np.log([values[1, 2] / values[1, 0], values[2, 1] / values[0, 1]]) * codec["sigma"] ** 2 / 2
        cell += np.clip(steps, -0.5, 0.5)
    x, y = ((cell + 0.5) * 4 - 0.5 - shift) / zoom
    print(f"{name:15s} {x:8.1f} {y:8.1f}   confidence {heatmap.max():.2f}")
