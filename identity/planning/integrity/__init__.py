"""identity.planning.integrity."""
