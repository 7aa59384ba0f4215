"""Compares two tables by key. Differences name keys, never values."""

from collections.abc import Iterator, Mapping
from typing import Any


def pair_differences(what: str, stored: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> Iterator[str]:
    """What is stored and not wanted, wanted and not stored, or different under one key."""
    for key in stored.keys() | wanted.keys():
        if key not in wanted:
            yield f"{what} {_shown(key)}: stored, but not in the replay"
        elif key not in stored:
            yield f"{what} {_shown(key)}: in the replay, but not stored"
        elif stored[key] != wanted[key]:
            yield f"{what} {_shown(key)}: differs"


def _shown(key: Any) -> str:
    if isinstance(key, tuple):
        return "/".join(_shown(part) for part in key[:3])
    return key.hex()[:32] if isinstance(key, bytes) else str(key)
