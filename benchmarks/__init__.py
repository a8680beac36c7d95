"""Speed and quality on real data, one command each."""
