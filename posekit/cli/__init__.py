"""The command line: each module reads options, calls the library and prints.

cli                       the program: which commands there are, and how errors are shown
common                    options that several commands share
study                     study, train, grid, networks, figures, notebooks, sample, cost
evaluate, predict, export, mpii, showcase   the commands of these names
fine_tune                 train, where it starts from a trained network
gpu_study                 the study on a GPU that cannot see the data set: pack, run, collect
run_notebooks             executes notebooks and keeps their outputs
"""
