"""Corrections by people: unmerge profiles, remove an identifier, rebuild under other rules, simulate."""
