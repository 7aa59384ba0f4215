"""One open space: its keys, rules and identifier types, and transactions that hold the space lock alone."""
