"""Worked examples on real data: each brings a source that the project had never seen."""
