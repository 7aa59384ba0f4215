"""app.commands."""
