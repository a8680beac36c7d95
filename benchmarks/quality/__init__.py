"""Prediction quality on real data, out of time, beside time rules and peers: `python -m benchmarks.quality`.

Every protocol goes through the product's own functions with composed parameters; where a protocol names as-of dates,
those are used. Every model, ours or a peer, then works from the same folder in a process of its own.
"""
