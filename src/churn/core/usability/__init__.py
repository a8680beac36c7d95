"""Usability: whether a model can be trained on this data, and what would make it possible."""

from churn.core.usability.findings import Finding, Usability, usability

__all__ = ["Finding", "Usability", "usability"]
