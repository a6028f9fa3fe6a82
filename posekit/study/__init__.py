"""Many runs on one data set.

configurations   the report's six models and the profiles (sizes)
variants         changes of the original network
runs             the records of runs, and where they lie
seeds            runs that differ only in their seed
study            a profile on a data set: trains what is missing
parallel         several trainings side by side on a CPU
"""
