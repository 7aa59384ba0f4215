"""identity.store.ledger.ledger."""
