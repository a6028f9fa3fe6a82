"""The networks and what they cost.

config      widths, depths and kinds of layers of every family
answers     what all families share: which columns they look at, and how scores become heatmaps
hourglass   the Stacked Hourglass, the report's and what was changed in it
lean        an hourglass of fewer, plainer layers
hrnet       timm's HRNet
encoder     EfficientNet-Lite0 with the weights of ImageNet, and a light decoder
depthwise   depthwise convolutions that learn fast on a CPU
finder      a network that finds people in a photograph
peaks       what a finder learns, and how its answer is read
build       from a configuration to its network
cost        parameters and FLOPs, as a whole and by part
features    what an hourglass computes on its way, at every resolution
folding     batch normalization folded into convolutions, for prediction only
"""
