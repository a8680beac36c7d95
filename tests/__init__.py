"""Tests mirror src/churn. Packages, so that tests/core/test_demo.py and tests/cli/test_demo.py are two modules."""
