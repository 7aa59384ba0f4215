"""Consent: decisions and signals folded per person, and what they permit a destination to see."""
