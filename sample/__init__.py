"""The sample company: people with tastes, what they do, what goes wrong, and the systems that hold it.

Everything follows from a seed, a number of customers and a number of days; no clock is read.
See `python -m sample --help`.
"""
