"""app.schemas.native."""
