"""Pure integrity checks: stored rows against their evidence, counters against rows, and a search for leaked values."""
