"""The shapes of access exports."""
