"""identity.operations.spaces."""
