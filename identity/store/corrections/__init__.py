"""identity.store.corrections."""
