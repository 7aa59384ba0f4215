"""app.routes.segment."""
