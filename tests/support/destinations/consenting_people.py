"""People who granted a purpose, and a destination that may see all of them."""

from typing import Any

GRANTED = {"consent": {"categoryPreferences": {"Marketing": True}}}
ALL = {"purposes": ["Marketing"], "traits": ["*"], "identifiers": ["*"]}


def user(name: str) -> dict[str, Any]:
    """A call of a person who granted Marketing."""
    return {"type": "identify", "userId": name, "traits": {"plan": "pro"}, "context": GRANTED}
