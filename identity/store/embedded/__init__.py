"""The embedded PostgreSQL server: its data directory, its process, and the user that runs the process."""
