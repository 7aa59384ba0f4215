"""identity.store.privacy."""
