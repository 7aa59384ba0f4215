"""identity.planning.destinations.policy."""
