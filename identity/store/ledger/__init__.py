"""SQL of the ledger: a hash chain per space."""
