"""The values that every layer speaks: calls, identifiers, ids, stamps, errors. Nothing here does any work."""
