"""Spaces and the work on them that no caller waits for: keys of the API, jobs, retention, purge."""
