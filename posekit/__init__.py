"""A study of single-person human pose estimation with Stacked Hourglass networks on MPII."""

__version__ = "0.1.0"
