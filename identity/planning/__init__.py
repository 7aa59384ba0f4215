"""Pure planning: from the bodies of calls to what has to change. No I/O, no keys, no clock."""
