"""Prediction quality on real data, out of time, beside the best time rule: `python -m benchmarks.quality`.

Every protocol goes through the product's own functions with composed parameters; where a protocol names as-of dates,
those are used.
"""
