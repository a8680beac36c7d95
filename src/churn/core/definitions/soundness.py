"""What a definition of churn must find in a history to be of use."""

CHURNERS_SAFE = 500
"""Fewer churners over all as-of dates are learnt by heart: these are ten for each of 50 features."""
RATE_LEAST, RATE_MOST = 0.01, 0.6
"""A list of nearly nobody, or of nearly everybody, is no list."""
DRIFT_MOST = 3.0
"""Base rates that differ more than this between dates mean that the definition follows something else, such as a
season or a gap in the delivery."""
