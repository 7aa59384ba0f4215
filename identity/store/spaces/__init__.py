"""identity.store.spaces."""
