"""What faces outward: HTTP, the command line, settings and wiring. It decides nothing about identities."""
