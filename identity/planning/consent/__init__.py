"""identity.planning.consent.fold."""
