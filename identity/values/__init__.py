"""identity.values."""
