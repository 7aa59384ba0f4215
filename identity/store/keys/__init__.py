"""identity.store.keys."""
