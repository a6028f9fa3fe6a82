"""The codec: joints -> heatmaps for the network to learn, heatmaps -> joints.

A heatmap has a quarter of the crop's resolution. Crop pixel x is heatmap cell (x + 0.5) / 4 - 0.5, so the
center of cell c is crop pixel 4 c + 1.5; no other conversion exists in the project.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from posekit.errors import PosekitError

STRIDE = 4  # crop pixels per heatmap cell, in x and in y: what the network's stem makes

#: Radius of a region, in heights of the heatmap: about half a head of somebody who fills the crop.
REGION = 1 / 16


@dataclass(frozen=True)
class Codec:
    """The sigma, and how a joint is written as a heatmap and read from it. The first two ways are usual.

    report:   the Gaussian is centered on the cell that holds the joint, and the answer is the center of the cell
              with the largest value, as the report's authors did. Up to half a cell is lost on the way.
    subpixel: the Gaussian is centered where the joint is, and decoding computes from the neighbors of the largest
              cell how far the joint lies from its center (as in Zhang et al., "Distribution-Aware Coordinate
              Representation", CVPR 2020, here with the known sigma instead of an estimated curvature).
    region:   written like subpixel, for heatmaps that say how likely each cell is. The answer is the middle of the
              likelihood in the region that holds most of it, a disc of radius `REGION`: an answer counts as found
              within about that distance, so this one is found most often. Where two places are likely, it lies at
              the one with more around it, not at the one with the highest cell.
    """

    kind: Literal["report", "subpixel", "region"] = "report"
    sigma: float = 1.0  # cells

    def __post_init__(self) -> None:
        if self.kind not in ("report", "subpixel", "region"):
            raise PosekitError(f"unknown codec {self.kind!r}: choose 'report', 'subpixel' or 'region'")
        if not self.sigma > 0:
            raise PosekitError(f"sigma must be positive, not {self.sigma}")

    def encode(self, joints: Tensor, present: Tensor, size: tuple[int, int]) -> Tensor:
        """Heatmaps (..., J, H, W) float32, peak 1, on the device of the joints.

        joints: (..., J, 2) float, crop px. present: (..., J) bool; where it is False (not annotated, or outside
        the crop) the heatmap is empty, whatever the joint's numbers are. size: (H, W) in cells.
        """
        center = to_cells(torch.nan_to_num(joints.float()))
        if self.kind == "report":
            center = torch.floor(center + 0.5)
        height, width = size
        columns = self._gaussian(center[..., 0], width)  # (..., J, W)
        rows = self._gaussian(center[..., 1], height) * present[..., None]  # (..., J, H)
        return rows[..., :, None] * columns[..., None, :]

    def _gaussian(self, center: Tensor, length: int) -> Tensor:
        cells = torch.arange(length, device=center.device, dtype=torch.float32)
        return torch.exp(-((cells - center[..., None]) ** 2) / (2 * self.sigma**2))

    def decode(self, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
        """Joints (..., J, 2) float32 in crop px and their confidence (..., J), the largest value of the map.

        heatmaps: (..., J, H, W) float. Every map gives a joint, even an empty one; its confidence is then 0.
        """
        heatmaps = heatmaps.float()
        width = heatmaps.shape[-1]
        confidence, index = heatmaps.flatten(-2).max(dim=-1)
        if self.kind == "region":
            return from_cells(_likeliest_region(heatmaps)), confidence
        cell = torch.stack([index % width, index // width], dim=-1)
        center = cell.float()
        if self.kind == "subpixel":
            center = center + self._offset(heatmaps, cell, confidence)
        return from_cells(center), confidence

    def _offset(self, heatmaps: Tensor, cell: Tensor, peak: Tensor) -> Tensor:
        """(..., J, 2): from the center of the largest cell to the top of the Gaussian, at most half a cell.

        With g(c) = exp(-(c - m)^2 / 2 s^2), two cells a < b give m = (a + b) / 2 + s^2 ln(g(b) / g(a)) / (b - a).
        """
        height, width = heatmaps.shape[-2:]
        flat = heatmaps.flatten(-2)
        # A network's values can be zero or negative beside the peak: a hundredth of it says "far away" as well.
        floor = peak.clamp(min=1e-6) * 0.01
        offsets = []
        for axis, length in ((0, width), (1, height)):
            low = (cell[..., axis] - 1).clamp(min=0)
            high = (cell[..., axis] + 1).clamp(max=length - 1)
            values = []
            for neighbor in (low, high):
                other = cell[..., 1 - axis]
                index = other * width + neighbor if axis == 0 else neighbor * width + other
                values.append(torch.maximum(flat.gather(-1, index[..., None])[..., 0], floor))
            middle = (low + high) / 2 + self.sigma**2 * torch.log(values[1] / values[0]) / (high - low)
            offsets.append((middle - cell[..., axis]).clamp(-0.5, 0.5))
        return torch.stack(offsets, dim=-1)


def _likeliest_region(heatmaps: Tensor) -> Tensor:
    """(..., J, 2) cells: the middle of the likelihood in the disc, around a cell, that holds most of it."""
    height, width = heatmaps.shape[-2:]
    likelihood = heatmaps.clamp(min=0).reshape(-1, height, width)
    rows, columns = (torch.arange(side, device=heatmaps.device) for side in (height, width))
    reach = int(REGION * height + 0.5)
    near = torch.arange(-reach, reach + 1, device=heatmaps.device)
    disc = _disc(near[:, None], near[None], height)
    index = F.conv2d(likelihood[:, None], disc[None, None], padding=reach).flatten(1).argmax(dim=1)
    y, x = (part[:, None, None] for part in (index // width, index % width))
    inside = likelihood * _disc(rows[:, None] - y, columns[None] - x, height)
    whole = inside.sum((1, 2)).clamp(min=torch.finfo(torch.float32).tiny)
    middle = torch.stack([(inside * columns).sum((1, 2)), (inside * rows[:, None]).sum((1, 2))], dim=-1)
    return (middle / whole[:, None]).reshape(*heatmaps.shape[:-2], 2)


def _disc(dy: Tensor, dx: Tensor, height: int) -> Tensor:
    """1 inside a region, 0 outside, and the share of a cell that its border crosses in between."""
    return (REGION * height + 0.5 - torch.hypot(dy.float(), dx.float())).clamp(0, 1)


def to_cells(crop: Tensor) -> Tensor:
    """Crop px -> heatmap cells."""
    return (crop + 0.5) / STRIDE - 0.5


def from_cells(cells: Tensor) -> Tensor:
    """Heatmap cells -> crop px."""
    return (cells + 0.5) * STRIDE - 0.5
