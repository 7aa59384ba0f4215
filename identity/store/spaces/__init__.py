"""SQL of spaces: spaces and API keys, jobs, retention, purge."""
