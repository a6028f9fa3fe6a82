"""Numbers out of records: what the report published, and the tables, figures and verdicts that are made.

results             which records notebooks and figures show
original_report     the numbers that the report published
benchmark_records   what benchmarks/ measured: latency, memory, frames per second
optimizers          every optimizer at many learning rates
cheaper_networks    accuracy against cost, and at which budget the order turns
claims              each claim of the report with a verdict
tables              tables of losses, accuracy, cost and profiles
style               colors, markers and titles that all figures share
report_figures, accuracy_figures, answer_figures, cost_figures, picture_figures    data in, a figure out
peers, showcase     posekit's own networks beside public ones, and what the README shows of them
publish             every figure and table of a study as files
"""
