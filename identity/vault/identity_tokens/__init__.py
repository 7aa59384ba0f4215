"""Identity tokens: the keys that sign them, and how a token is checked."""
