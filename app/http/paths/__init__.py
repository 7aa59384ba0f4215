"""The route that a request names, or probably means."""
