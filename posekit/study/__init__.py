"""Many runs on one data set.

configurations   the report's six models, and the sizes at which models are trained
models           what one model is
networks         further networks, compared by cost
runs             the records of runs, and where they lie
checked_records  what is checked before records are believed
seeds            runs that differ only in their seed
study            a size on a data set: trains what is missing
recording        one run, from what it is asked to do to its records
fine_tuning      a trained network learns on a person's own data
parallel         several trainings side by side on a CPU
timed_training   trainings on a machine that is reached for minutes at a time
record_bundle    the records of many runs in one file
"""
