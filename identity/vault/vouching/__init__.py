"""Vouches for rows of the database under keys that the database does not hold."""
