"""SQL of wrapped keys: epoch key rolls, index key rotation, dumps of the key tables."""
