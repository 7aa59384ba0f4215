"""identity.spaces.space."""
