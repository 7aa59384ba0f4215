"""The PostgreSQL server that comes along: its data directory, its process, the user it runs as."""
