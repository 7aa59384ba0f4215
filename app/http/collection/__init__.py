"""What only the collection routes need: the key of a request before its body is parsed, and prepared answers."""
