"""identity.store.destinations.destinations."""
