"""What a finder learns and how its answer is read: people as peaks of one map, and back.

Pixel x of an image is cell (x + 0.5) / 8 - 0.5 of the map.
"""

from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F

from posekit.models.finder import FINDER_STRIDE, USUAL_HEIGHT

#: Standard deviation of a peak, as a part of the person's height, and the least one, cells.
WIDTH, LEAST_WIDTH = 0.07, 0.8

#: Middle and height are learned where the peak is at least so high.
NEAR = 0.3


@dataclass(frozen=True)
class Targets:
    """heat (B, h, w): 1 at the cell of a person's middle, falling off as a Gaussian; offset (B, 2, h, w), cells,
    and size (B, h, w) of the person whose peak is the highest there, as `FinderNetwork` answers; counted (B, h, w)
    bool: cells that count in the loss."""

    heat: Tensor
    offset: Tensor
    size: Tensor
    counted: Tensor

    def to(self, device: torch.device) -> "Targets":
        return Targets(*(getattr(self, field.name).to(device) for field in fields(self)))


def encode(centers: list[Tensor], heights: list[Tensor], ignored: list[Tensor], cells: tuple[int, int]) -> Targets:
    """Targets of B images: centers (N, 2) and heights (N,) of their people, image px, and boxes (M, 4), px, where
    nothing counts."""
    rows, columns = cells
    batch = len(centers)
    y, x = torch.meshgrid(torch.arange(rows).float(), torch.arange(columns).float(), indexing="ij")
    heat, size = torch.zeros(batch, rows, columns), torch.zeros(batch, rows, columns)
    offset, counted = torch.zeros(batch, 2, rows, columns), torch.ones(batch, rows, columns, dtype=torch.bool)
    for image, (middles, tall, boxes) in enumerate(zip(centers, heights, ignored, strict=True)):
        for box in to_cells(boxes):
            counted[image] &= ~((x >= box[0]) & (y >= box[1]) & (x <= box[2]) & (y <= box[3]))
        for middle, height in zip(to_cells(middles), tall, strict=True):
            column = middle[0].round().clamp(0, columns - 1)
            row = middle[1].round().clamp(0, rows - 1)
            width = (WIDTH * height / FINDER_STRIDE).clamp(min=LEAST_WIDTH)
            peak = torch.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * width**2))
            here = peak > heat[image]
            heat[image][here] = peak[here]
            offset[image, 0][here] = (middle[0] - x)[here]
            offset[image, 1][here] = (middle[1] - y)[here]
            size[image][here] = torch.log(height / USUAL_HEIGHT)
            counted[image] |= peak > NEAR
    return Targets(heat, offset, size, counted)


def to_cells(pixels: Tensor) -> Tensor:
    """Positions in an image, px -> positions in the map, cells."""
    return (pixels + 0.5) / FINDER_STRIDE - 0.5


def loss(answer: Tensor, targets: Targets) -> Tensor:
    """Of a network's answer (B, 4, h, w), per person.

    The map: the focal loss of Law and Deng, "CornerNet", 2018, with alpha 2 and beta 4. Middle and height: the
    absolute error, weighted by the peak (Liu et al., "Training-Time-Friendly Network", 2020: one cell per person
    learns too slowly).
    """
    people = (targets.heat == 1).sum().clamp(min=1)
    logit = answer[:, 0]
    probability = logit.sigmoid()
    at_peaks = -F.logsigmoid(logit) * (1 - probability) ** 2
    elsewhere = -F.logsigmoid(-logit) * probability**2 * (1 - targets.heat) ** 4
    of_map = torch.where(targets.heat == 1, at_peaks, elsewhere * targets.counted).sum() / people
    weight = torch.where(targets.heat >= NEAR, targets.heat, 0)
    total = weight.sum().clamp(min=1)
    of_middle = ((answer[:, 1:3] - targets.offset).abs().sum(dim=1) * weight).sum() / total
    of_height = ((answer[:, 3] - targets.size).abs() * weight).sum() / total
    return of_map + 0.3 * of_middle + of_height


def read(answer: Tensor) -> Tensor:
    """A network's answer (B, 4, h, w) as readable maps (B, 4, h, w): the probability in 0..1 that a person is
    there, and 0 where a neighboring cell has a higher one; x and y of the person's middle, and the height, image
    px."""
    probability = answer[:, :1].sigmoid()
    highest = F.max_pool2d(probability, 3, stride=1, padding=1)
    score = torch.where(probability == highest, probability, 0)
    rows, columns = answer.shape[-2:]
    x = torch.arange(columns, device=answer.device).expand(rows, columns)
    y = torch.arange(rows, device=answer.device)[:, None].expand(rows, columns)
    middle = (answer[:, 1:3] + torch.stack([x, y]) + 0.5) * FINDER_STRIDE - 0.5
    return torch.cat([score, middle, answer[:, 3:].exp() * USUAL_HEIGHT], dim=1)
