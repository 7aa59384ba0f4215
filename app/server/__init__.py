"""The running process: what it holds open, what it measures, logs and limits."""
