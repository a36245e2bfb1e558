"""Measurements of speed and memory, side by side, runnable by anyone: `python -m benchmarks`."""
