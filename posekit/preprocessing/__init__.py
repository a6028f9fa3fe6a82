"""From a person in a photograph to what a network is given, and what it is compared with.

crop           ONE affine matrix from image to crop pixels
heatmaps       joints as heatmaps, and heatmaps as joints
cache          crops on the disk, made once
batches        crops of many people, and batches of them
crop_archive   the crops of a data set in one file, to be carried to another machine
augmentation   turned, scaled, mirrored and recolored crops
whole_image    a whole photograph, as a finder of people sees it
scenes         photographs put together, to train that finder on
"""
