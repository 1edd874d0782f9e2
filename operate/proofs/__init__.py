"""Proofs of what the project promises, for any warehouse: `python -m operate prove`."""
