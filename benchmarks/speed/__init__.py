"""Speed and memory beside other tools on the same work."""
