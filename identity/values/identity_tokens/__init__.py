"""Identity tokens as values: what they state and prove, and why the keys that sign them are refused."""
