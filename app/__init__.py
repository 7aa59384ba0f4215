"""The outside of Onefold: HTTP, the command line, settings and composition. Nothing here decides about identities."""
