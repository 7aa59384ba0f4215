"""Access exports: asked for, built in the background, downloaded once."""
