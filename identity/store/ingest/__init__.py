"""identity.store.ingest."""
