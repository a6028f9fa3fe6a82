"""Numbers out of records: what the report published, and the tables, figures and verdicts that are made.

results             which records notebooks and figures show
yardsticks          on whom networks are tested, and by which metric
settings            data, size, recipe, seeds and people of numbers, in a sentence
original_report     the numbers that the report published
benchmark_records   what benchmarks/ measured: latency, memory, frames per second
optimizers          every optimizer at many learning rates
cheaper_networks    accuracy against cost, after short and long training
losses, statements  losses in percent below the floor, and what the report says of its curves
chosen_networks     five of these networks, as a table and a figure
own_data            where a network fails, what annotating gains
chance              how much of a score is chance: of people, of seeds
judging             the rules of docs/judging_claims.md
contest, claims     models against each other, and each claim of the report with a verdict
tables              the report's tables, and tables of accuracy, sizes and cost
data_tables, network_tables, training_tables    tables that explain people, networks and trainings
shown, pages        tables in notebooks, and in pages of text
style               colors, markers and titles that all figures share
skeleton_plots      joints and limbs on the axes of a figure
report_figures, accuracy_figures, answer_figures, cost_figures, picture_figures    data in, a figure out
network_figures, heatmap_figures, training_figures    figures that explain how it works
peers, showcase     posekit's own networks beside public ones, and what the README shows of them
publish             every figure and table of a study as files
"""
