"""SQL of ingest: load the rows around a batch under locks, write the plan in one round trip."""
