"""Pure planning: decides from values what has to change. No I/O, no keys, no clock, no randomness."""
