"""Measurements, as ratios within one run. Nothing here asserts a time."""
