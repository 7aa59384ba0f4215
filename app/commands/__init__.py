"""The commands of `onefold` that are more than a few lines: serve, demo, export, keys, verify."""
