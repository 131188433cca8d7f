"""Measurements, each side by side with its alternative in one run: `python -m benchmarks.NAME`."""
