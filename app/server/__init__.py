"""app.server."""
