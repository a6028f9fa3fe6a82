"""How good answers are.

pckh               distances of joints and PCKh
intervals          confidence intervals and comparisons
floors             what is reached without a network, and what no network can exceed
evaluate           a network over crops
exchanged_sides    left and right exchanged, beside what chance gives
prediction_files   predictions of other programs, read and written
"""
