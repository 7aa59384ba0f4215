"""Backups of a whole deployment, database with key store, and restores of them."""
