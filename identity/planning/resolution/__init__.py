"""identity.planning.resolution."""
