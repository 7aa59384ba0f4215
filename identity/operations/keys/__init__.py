"""The life of keys: roll epoch keys, rotate the index key and the root key, dump and restore key tables."""
