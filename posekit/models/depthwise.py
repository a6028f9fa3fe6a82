"""Depthwise convolutions that learn fast on CPUs: the same numbers, from calls that oneDNN has fast code for.

Measured with torch 2.13 on one core of an AMD EPYC with AVX512-BF16, as calls of `convolution_backward` on
channels-last tensors: the weight gradient of kernels wider than three columns takes 3 to 50 times as long as that
of kernels up to three columns wide, and in bfloat16 the input gradient of a stride 2 takes 5 to 14 times as long
as a convolution of stride 1 with zeros in between. Together they are more than half of a training step of
`posekit.models.encoder.EncoderNetwork`. So a wide kernel's gradient is computed in pieces of three columns, and a
stride's gradient with those zeros.
"""

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable
from torch.nn import functional as F

#: Columns of a kernel whose weight gradient oneDNN computes fast.
FAST_COLUMNS = 3


class DepthwiseConv2d(nn.Conv2d):
    """A convolution that sees each channel alone, without bias: (B, C, H, W) -> (B, C, H', W').

    On a CPU in training its gradients are computed as the module says; otherwise it is torch's own.
    """

    def __init__(self, channels: int, kernel: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__(channels, channels, kernel, stride, padding, groups=channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        # A compiler sees torch's own convolution, and so does an exporter.
        if (
            self.training
            and x.device.type == "cpu"
            and torch.is_grad_enabled()
            and not torch.compiler.is_compiling()
        ):
            return _Depthwise.apply(x, self.weight, self.stride[0], self.padding[0])
        return super().forward(x)


class _Depthwise(torch.autograd.Function):
    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.bfloat16)  # where autocast is on, as torch's own
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight, None, stride, padding, groups=len(weight))

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")
    @once_differentiable
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        x, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_input = of_weight = None
        if ctx.needs_input_grad[0]:
            of_input = input_gradient(gradient, x, weight, ctx.stride, ctx.padding)
        if ctx.needs_input_grad[1]:
            of_weight = weight_gradient(gradient, x, weight, ctx.stride, ctx.padding)
        return of_input, of_weight, None, None


def input_gradient(gradient: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """(B, C, H, W): the gradient of the input x, given that of the output, (B, C, H', W')."""
    if stride == 1 or gradient.dtype == torch.float32:
        return _by_torch(gradient, x, weight, stride, padding, of_weight=False)
    kernel = weight.shape[-1]
    # With zeros between its cells, the gradient has stride 1; the kernel is turned by half a circle.
    height, width = (side + 2 * padding - kernel + 1 for side in x.shape[-2:])
    between = torch.empty(
        (*gradient.shape[:2], height, width), dtype=gradient.dtype, memory_format=torch.channels_last
    ).zero_()
    between[..., ::stride, ::stride] = gradient
    return F.conv2d(between, weight.flip(-2, -1), padding=kernel - 1 - padding, groups=len(weight))


def weight_gradient(gradient: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """(C, 1, k, k): the gradient of the weight, given that of the output, (B, C, H', W')."""
    kernel = weight.shape[-1]
    if kernel <= FAST_COLUMNS:
        return _by_torch(gradient, x, weight, stride, padding, of_weight=True)
    padded = F.pad(x, 4 * [padding])
    seen = stride * (gradient.shape[-1] - 1)  # from the first to the last place that a column of the kernel sees
    pieces = []
    for first in range(0, kernel, FAST_COLUMNS):
        part = weight[..., first : first + FAST_COLUMNS]
        columns = padded[..., first : first + seen + part.shape[-1]]
        pieces.append(_by_torch(gradient, columns, part, stride, 0, of_weight=True))
    return torch.cat(pieces, dim=-1)


def _by_torch(gradient: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int, of_weight: bool) -> Tensor:
    of_input, of_weights, _ = torch.ops.aten.convolution_backward(
        gradient,
        x,
        weight,
        None,
        [stride] * 2,
        [padding] * 2,
        [1, 1],
        False,
        [0, 0],
        len(weight),
        [not of_weight, of_weight, False],
    )
    return of_weights if of_weight else of_input
