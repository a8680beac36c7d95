"""One script a stage of dvc.yaml, named by the noun it makes: read, compute, write."""
