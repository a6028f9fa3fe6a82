"""A network for answering only: batch normalizations that follow a convolution become part of it."""

import copy
from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def folded(network: nn.Module) -> nn.Module:
    """A copy in evaluation mode with the same answers and fewer layers.

    After training, a batch normalization multiplies and adds known numbers. Where the convolution before it
    hands its output to no other layer, its weights can carry them: inside a branch or a stem of an hourglass, and
    everywhere in the lean hourglass and in timm's HRNet, whose normalizations stand directly after convolutions.
    """
    network = copy.deepcopy(network).eval()
    for module in list(network.modules()):
        for (name, first), (after, second) in pairwise(list(module.named_children())):
            if isinstance(module, nn.Sequential) and _is_block(first) and _is_block(second):
                first[2] = fuse_conv_bn_eval(first[2], second[0])
                second[0] = nn.Identity()
            elif isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(first, second))
                setattr(module, after, nn.Identity())
    return network


def _is_block(module: nn.Module) -> bool:
    """Whether it is a `posekit.models.hourglass.conv_block`, folded or not."""
    return isinstance(module, nn.Sequential) and len(module) == 3 and isinstance(module[2], nn.Conv2d)
