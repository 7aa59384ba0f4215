"""identity.store.postgres."""
