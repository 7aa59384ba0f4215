"""The values that every layer shares: calls, identifiers, ids, stamps, enums, errors. No value does I/O."""
