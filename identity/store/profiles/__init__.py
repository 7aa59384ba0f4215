"""identity.store.profiles."""
