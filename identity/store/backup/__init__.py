"""Dumps and restores of the whole database by the client programs of PostgreSQL."""
