"""Compares what is stored with what its evidence says, as values."""
