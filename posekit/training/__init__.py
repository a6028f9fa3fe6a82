"""One training run.

run_config    what a run is asked to do, frozen
losses        the report's loss, and cross-entropy
step          one update of the weights
loop          epochs, each recorded and checkpointed
few_steps     a network while it learns, after different numbers of steps
parameter_groups   which weights learn at which rate
averaging     the running mean of the weights
memory        memory that is freed in every step is kept for the next
checkpoint    the state of a run in one file
estimate      how long a run takes, and how much memory
finder        the training of the network that finds people
distributed   several processes that train together
"""
