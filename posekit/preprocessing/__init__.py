"""From a person in a photograph to what a network is given, and what it is compared with.

crop           ONE affine matrix from image to crop pixels
heatmaps       joints as heatmaps, and heatmaps as joints
cache          crops on the disk, made once
batches        crops of many people, and batches of them
augmentation   turned, scaled, mirrored and recolored crops
"""
