"""The data directory of a space whose keys a test rolls or rotates."""

from tests.support.keys.rolled_space import folder

__all__ = ["folder"]
