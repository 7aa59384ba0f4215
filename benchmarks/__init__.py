"""Onefold beside its rivals: see README.md."""
