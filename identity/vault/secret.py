"""Keeps every object that holds a key from showing the key.

Invariant: no repr, string, format, pickle, copy or JSON of these objects contains key bytes, so
neither a log line nor a traceback with locals can. Python cannot wipe memory: a reader of the
memory of the process has its live keys.
"""

from hmac import compare_digest
from typing import Never, SupportsIndex

HIDDEN = "***"
_REFUSED = "an object that holds keys is neither copied nor serialised"


class Guarded:
    """Base of everything that holds a key: its repr is its type, serialising it raises TypeError."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Name the type and nothing else."""
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> Never:
        """Refuse pickle, copy and deepcopy."""
        raise TypeError(_REFUSED)

    def __getstate__(self) -> Never:
        """Refuse serialisers that go round pickle; object's own would hand out the slots."""
        raise TypeError(_REFUSED)


class Secret(Guarded):
    """Some bytes that are shown as `***`; `reveal` is the only way to them."""

    __slots__ = ("__value",)

    def __init__(self, value: bytes) -> None:
        self.__value = value

    def reveal(self) -> bytes:
        """Return the bytes; keep them out of variables of frames that may raise."""
        return self.__value

    def __repr__(self) -> str:
        """Hide the value."""
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        """Hide the value."""
        return HIDDEN

    def __format__(self, spec: str, /) -> str:
        """Hide the value, whatever the format asks for."""
        return HIDDEN

    def __eq__(self, other: object) -> bool:
        """Compare in constant time."""
        return isinstance(other, Secret) and compare_digest(self.__value, other.__value)

    __hash__ = None  # type: ignore[assignment]  # a hash of a key would be a fingerprint of it
