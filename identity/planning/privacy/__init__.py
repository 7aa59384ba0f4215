"""identity.planning.privacy.request_kinds."""
