"""Destinations: their definition, scoped reads, the change feed, push and acknowledgement."""
