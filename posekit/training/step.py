"""One training step: a network's scores for a batch, their loss, its gradient, new weights."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from posekit.device import Precision, memory_format
from posekit.errors import PosekitError
from posekit.models.build import build_network
from posekit.models.encoder import load_imagenet
from posekit.preprocessing.batches import Batch
from posekit.preprocessing.heatmaps import STRIDE
from posekit.training.distributed import process, total_on_device
from posekit.training.losses import LOSSES
from posekit.training.parameter_groups import adamw
from posekit.training.run_config import RunConfig


def make_network(config: RunConfig, device: torch.device) -> nn.Module:
    """The run's network with the weights that its seed gives, in the memory layout that convolutions like.

    With `RunConfig.start` "imagenet", its encoder has the weights that were trained on ImageNet. Where several
    processes train it on GPUs, batch normalization takes its means over all of them.
    """
    torch.manual_seed(config.seed)
    network = build_network(config.network)
    if config.start == "imagenet":
        load_imagenet(network.encoder)
    for part in config.frozen:
        network.get_submodule(part).requires_grad_(False)
    if process()[1] > 1 and device.type == "cuda":
        network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    return network.to(device, memory_format=memory_format(device))


def make_optimizer(config: RunConfig, network: nn.Module) -> torch.optim.Optimizer:
    """RMSprop, RAdam, Adam or AdamW as torch has them, over the parameters that can learn."""
    if config.optimizer == "AdamW":
        rates = {} if config.encoder_rate is None else {"encoder": config.encoder_rate}
        return adamw(network, config.learning_rate, config.weight_decay, rates)
    learnable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    # One kernel for all parameters where torch has it, else one for many: there are hundreds of small ones.
    faster = {"fused": True} if config.optimizer == "Adam" else {"foreach": True}
    return getattr(torch.optim, config.optimizer)(learnable, lr=config.learning_rate, **faster)


#: What torch's allocators, cuDNN and cuBLAS say; each in a RuntimeError.
_EXHAUSTED = ("out of memory", "not enough memory", "can't allocate memory", "STATUS_ALLOC_FAILED")


class Step:
    """Trains a network by one batch per call.

    precision: of the convolutions; weights, heatmaps and loss are float32 always. compiled: let torch.compile
    write the code of the step, which takes minutes once, and on CUDA replay it as one graph; if it cannot, a
    warning says why and the step is computed as it would have been. Nothing here makes the host wait for a GPU,
    but batch normalization over several GPUs, which waits for the others. teacher: a trained network whose answers
    are learned as well.
    """

    def __init__(
        self,
        config: RunConfig,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        precision: Precision = "float32",
        compiled: bool = False,
        teacher: nn.Module | None = None,
    ) -> None:
        self.config, self.network, self.optimizer, self.precision = config, network, optimizer, precision
        self.learning = network  # as it is, whatever wraps it
        self.teacher = teacher
        self.device = next(network.parameters()).device
        number, count = process()
        if count > 1:
            where = [self.device.index] if self.device.type == "cuda" else None
            # Only the leader's means and variances are kept, so they need not be sent around.
            self.network = nn.parallel.DistributedDataParallel(network, where, broadcast_buffers=False)
        #: People in a whole batch of this process: the only size that is compiled, as each one takes minutes.
        self.whole = len(range(number, config.batch_size, count))
        self._compiled = None
        if compiled and count > 1 and self.device.type == "cuda":
            message = "torch.compile cannot cross batch normalization over several GPUs; going on without"
            warnings.warn(message, stacklevel=2)
        elif compiled:
            mode = "reduce-overhead" if self.device.type == "cuda" else "default"
            self._compiled = torch.compile(self.loss, mode=mode, dynamic=False)

    def begin(self) -> None:
        """Lets the network learn, but for its frozen parts: their normalizations keep their means, too."""
        self.network.train()
        for part in self.config.frozen:
            self.learning.get_submodule(part).eval()

    def loss(self, images: Tensor, joints: Tensor, present: Tensor) -> Tensor:
        """The run's loss of crops (B, 3, S, S) in 0..1 with joints (B, 16, 2) crop px, present (B, 16).

        With a teacher, the mean of it and of the same loss against the teacher's last heatmaps: Hwang et al.,
        "Lightweight 3D Human Pose Estimation Network Training Using Teacher-Student Learning", 2020.
        """
        compare = LOSSES[self.config.loss]
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            scores = self.network(images)
            with torch.no_grad():
                taught = self.teacher(images)[-1].float() if self.teacher is not None else None
        cells = images.shape[-1] // STRIDE
        loss = compare(scores, self.config.codec.encode(joints, present, (cells, cells)))
        return loss if taught is None else (loss + compare(scores, taught)) / 2

    def share(self, batch: Batch) -> Tensor | float:
        """The weight of this process's mean loss, so that the mean over processes is that of the whole batch.

        The squared error is a mean over people, the cross-entropy one over the joints that are there. With a
        teacher, who answers for every joint, people are close enough to both.
        """
        count = process()[1]
        if count == 1 or not self.config.likelihoods or self.teacher is not None:
            return batch.share
        joints = batch.present.sum().float()
        return joints * count / total_on_device(joints).clamp(min=1)

    def __call__(self, batch: Batch) -> Tensor:
        """Updates the weights; the loss of the batch before the update, on the device. `PosekitError` if memory
        is exhausted."""
        with _memory_or_advice(self.config), _fastest_algorithms():
            loss = self._backward(batch)
            self.optimizer.step()
        return loss.detach().clone()  # a CUDA graph writes its next loss where it wrote this one

    def _backward(self, batch: Batch) -> Tensor:
        inputs, share = (batch.images, batch.joints, batch.present), self.share(batch)
        self.optimizer.zero_grad(set_to_none=True)
        if self._compiled is not None and len(batch.which) == self.whole:
            try:
                torch.compiler.cudagraph_mark_step_begin()
                loss = self._compiled(*inputs)
                (loss * share).backward()
                return loss
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # compilers fail with almost any exception
                lines = str(error).strip().splitlines() or [type(error).__name__]
                warnings.warn(f"torch.compile does not work here ({lines[0]}); going on without", stacklevel=2)
                self._compiled = None
                self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(*inputs)
        (loss * share).backward()
        return loss


@contextmanager
def _fastest_algorithms() -> Iterator[None]:
    """Lets cuDNN find the fastest algorithm once, as crops are all of one size; only while a step is computed."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


@contextmanager
def _memory_or_advice(config: RunConfig) -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(words in str(error) for words in _EXHAUSTED):
            raise
        raise PosekitError(
            f"memory is exhausted by a batch of {config.batch_size} people at {config.crop.size} px: close what "
            f"else uses it, or halve the batch with posekit train --batch-size {max(config.batch_size // 2, 1)}, "
            "which makes another run than the one with the size's batch. What was recorded of earlier epochs "
            "is kept"
        ) from error
