"""identity.store.embedded.server."""
