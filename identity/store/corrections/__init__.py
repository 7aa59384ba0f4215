"""SQL of corrections: connected profiles and versioned rules."""
