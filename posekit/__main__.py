"""`python -m posekit` is the command `posekit`."""

from posekit.cli.cli import main

main()
