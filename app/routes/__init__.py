"""The native surface: each module one noun, each route parses, calls one journey and answers."""
