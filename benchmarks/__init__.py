"""Measurements, run by hand or nightly: ratios against a floor or a peer, in one run, on the same data."""
