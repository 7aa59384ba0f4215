"""The keys of identity tokens in an open space."""
