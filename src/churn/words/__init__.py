"""What things mean: tables, time windows and errors. Imports nothing of ours."""
