"""Rivals: other designs for the same work, as a careful engineer would write them."""
