"""identity.operations.destinations."""
