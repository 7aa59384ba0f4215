"""The vault: every key, every sealed byte and every blind index; nothing else touches cryptography."""
