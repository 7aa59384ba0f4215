"""identity.operations.integrity."""
