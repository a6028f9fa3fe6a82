"""Trains the network that finds people in photographs, from an encoder that was trained on ImageNet."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from posekit.datasets.people import People
from posekit.device import memory_format, network_input
from posekit.errors import PosekitError
from posekit.models.encoder import load_imagenet
from posekit.models.finder import FINDER_MULTIPLE, FINDER_STRIDE, FinderNetwork
from posekit.models.folding import folded
from posekit.models.peaks import encode, loss, read
from posekit.preprocessing.scenes import Photograph, SceneRule, draw_scene, group_by_photograph, read_photograph
from posekit.preprocessing.whole_image import whole_image
from posekit.training.averaging import WeightAverage
from posekit.training.checkpoint import halved, write_state
from posekit.training.parameter_groups import adamw, warmup_cosine_scheduler

#: Steps between two checkpoints.
SAVE_EVERY = 100

#: Lower peaks are not taken as people.
LEAST_SCORE = 0.02


@dataclass(frozen=True)
class FinderRecipe:
    """Everything that decides the numbers of a finder, apart from the photographs."""

    seed: int = 0
    steps: int = 700
    batch_size: int = 16  # scenes
    learning_rate: float = 2e-3
    encoder_rate: float = 4e-4
    weight_decay: float = 0.01
    warmup: int = 100  # steps
    decay: float = 0.997  # of the running mean of the weights
    crowds: float = 0.5  # share of photographs from data sets that annotate everybody, which are MPII
    scenes: SceneRule = field(default_factory=SceneRule)


def chances(photographs: Sequence[Photograph], crowds: float) -> np.ndarray:
    """(N,): how often each photograph is drawn. MPII's share `crowds`, all others share the rest."""
    of_crowds = np.array([photograph.data_set.startswith("mpii") for photograph in photographs])
    if of_crowds.all() or not of_crowds.any():
        return np.full(len(photographs), 1 / len(photographs))
    return np.where(of_crowds, crowds / of_crowds.sum(), (1 - crowds) / (~of_crowds).sum())


def train_finder(
    recipe: FinderRecipe, people: People, checkpoint: Path, device: torch.device, progress: bool = True
) -> FinderNetwork:
    """The mean network after the last step; goes on from the checkpoint if there is one of this recipe.

    Scenes depend on seed and step alone. Raises `PosekitError` if the ImageNet weights are not installed, the
    checkpoint is of another recipe, or the loss stops being a number.
    """
    torch.manual_seed(recipe.seed)
    network = FinderNetwork()
    load_imagenet(network.encoder)
    network = network.to(device, memory_format=memory_format(device)).train()
    average = WeightAverage(network, recipe.decay)
    optimizer = adamw(network, recipe.learning_rate, recipe.weight_decay, {"encoder": recipe.encoder_rate})
    scheduler = warmup_cosine_scheduler(optimizer, recipe.steps, recipe.warmup)
    parts = {"network": network, "average": average, "optimizer": optimizer, "scheduler": scheduler}
    done = _resume(checkpoint, recipe, parts)
    photographs = group_by_photograph(people)
    drawn = chances(photographs, recipe.crowds)
    losses: list[float] = []
    bar = tqdm(total=recipe.steps, initial=done, desc="finder", unit=" steps", disable=not progress)
    with bar:
        for step in range(done, recipe.steps):
            scenes = [
                draw_scene(photographs, drawn, recipe.scenes, np.random.default_rng([recipe.seed, step, number]))
                for number in range(recipe.batch_size)
            ]
            columns = ([getattr(scene, name) for scene in scenes] for name in ("centers", "heights", "ignored"))
            cells = 2 * (recipe.scenes.side // FINDER_STRIDE,)
            targets = encode(*([torch.from_numpy(row).float() for row in column] for column in columns), cells)
            optimizer.zero_grad(set_to_none=True)
            answer = network(network_input(np.stack([scene.image for scene in scenes]), device))
            value = loss(answer, targets.to(device))
            if not value.isfinite():
                raise PosekitError(f"the loss of the finder is not a number any more in step {step}")
            value.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
            optimizer.step()
            scheduler.step()
            average.update(network)
            losses.append(value.item())
            bar.set_postfix_str(f"loss {np.mean(losses[-SAVE_EVERY:]):.3f}", refresh=False)
            bar.update()
            if (step + 1) % SAVE_EVERY == 0 or step + 1 == recipe.steps:
                states = {name: part.state_dict() for name, part in parts.items()}
                write_state({"recipe": asdict(recipe), "step": step + 1} | states, checkpoint)
    return average.network


def _resume(checkpoint: Path, recipe: FinderRecipe, parts: dict) -> int:
    """How many steps are done; what they made is put into the parts."""
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    if state["recipe"] != asdict(recipe):
        raise PosekitError(f"{checkpoint} is of a finder of another recipe; name another file, or remove it")
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return state["step"]


def save_finder(path: Path, recipe: FinderRecipe, network: FinderNetwork) -> None:
    """The network in half precision, with its recipe. Raises `PosekitError` if it cannot be written."""
    weights = {name: halved(value) for name, value in network.state_dict().items()}
    write_state({"finder": asdict(recipe), "network": weights}, path)


def load_finder(path: Path, device: torch.device) -> FinderNetwork:
    """The network that `save_finder` wrote, for prediction. Raises `PosekitError` if the file is missing or
    something else."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        network = FinderNetwork()
        network.load_state_dict(state["network"])
    except FileNotFoundError as error:
        raise PosekitError(f"there is no finder {path}; check the path") from error
    except Exception as error:  # torch meets a file that is something else with almost any exception
        raise PosekitError(f"{path} does not hold a finder, or not a whole one") from error
    return folded(network).to(device, memory_format=memory_format(device))


@torch.inference_mode()
def find_peaks(network: FinderNetwork, image: np.ndarray, side: int) -> np.ndarray:
    """People in a photograph (H, W, 3) uint8 RGB, the surest first: (N, 4) float64 of score in 0..1, x, y of the
    middle, px of the photograph, and height, px. Its longer side is resized to `side` px."""
    device = next(network.parameters()).device
    picture, zoom = whole_image(image, side, FINDER_MULTIPLE)
    maps = read(network(network_input(picture[None], device)))[0].cpu().double().numpy()
    peaks = maps[:, maps[0] > LEAST_SCORE].T
    peaks = peaks[np.argsort(-peaks[:, 0], kind="stable")]
    peaks[:, 1:3] = (peaks[:, 1:3] + 0.5) / zoom - 0.5
    peaks[:, 3] /= zoom
    return peaks


def average_precision(network: FinderNetwork, photographs: Sequence[Photograph], side: int) -> float:
    """How well annotated people are found, 0..1: the area under precision over recall, surest finds first.

    A find is right if its middle is within a quarter of a person's height of that person's, and neither of the
    heights is more than 1.6 times the other; a person is found once.
    """
    scores, right, people = [], [], 0
    for photograph in photographs:
        image, zoom = read_photograph(photograph.path)
        centers, heights = photograph.centers() * zoom, photograph.heights * zoom
        free = np.isfinite(centers).all(axis=1)
        people += int(free.sum())
        for score, *center, height in find_peaks(network, image, side):
            distance = np.linalg.norm(centers - center, axis=1) / heights
            fits = free & (distance < 0.25) & (np.abs(np.log(heights / height)) < np.log(1.6))
            if fits.any():
                free[np.argmin(np.where(fits, distance, np.inf))] = False
            scores.append(score)
            right.append(bool(fits.any()))
    order = np.argsort(-np.array(scores), kind="stable")
    found = np.cumsum(np.array(right)[order])
    precision = found / np.arange(1, len(order) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float((best * np.array(right)[order]).sum() / people)
