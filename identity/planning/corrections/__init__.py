"""identity.planning.corrections."""
