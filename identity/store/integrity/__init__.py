"""identity.store.integrity."""
