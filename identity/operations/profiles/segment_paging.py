"""What a caller of the Profile API asks for, and the cursor its lists end with.

A cursor is good for one list of one profile of one space. It names a place by a number or by a
keyed hash of what lies there, never by a name or an index that could tell of somebody.
"""

from collections.abc import Callable, Container, Sequence
from hmac import compare_digest
from typing import Any, NamedTuple, TypeVar

from identity.spaces.space import Space
from identity.values.calls import KINDS, Kind
from identity.values.errors import BadCursor
from identity.values.ids import public

_ID = 16
_MARK = b"mark"
T = TypeVar("T")


class Wanted(NamedTuple):
    """The parameters of a list, checked; times in microseconds, `start` in it and `end` not.

    `include` and `exclude` are names: of traits, of types or of events, as the list has it; `kinds` are those
    of the calls that a list of events has.
    """

    limit: int
    include: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    verbose: bool = False
    computed: bool = False
    start: int | None = None
    end: int | None = None
    ascending: bool = False
    next: str | None = None
    kinds: tuple[Kind, ...] = KINDS


class Answered(NamedTuple):
    """What is answered, and the public id of the profile it is about (for the audit)."""

    profile_id: str | None
    document: dict[str, Any]


def cursor(space: Space, collection: str, place: str, wanted: Wanted, next_: str | None) -> dict[str, Any]:
    """Where a list goes on; `place` is what follows the profiles of the collection in its address."""
    url = f"/v1/spaces/{public('spc', space.public_id)}/collections/{collection}/profiles{place}"
    return {"url": url, "has_more": next_ is not None, "next": next_ or "", "limit": wanted.limit}


def write_place(space: Space, domain: bytes, id_: bytes, position: bytes) -> str:
    """A place in a list of the profile of this canonical id."""
    return space.write_cursor(domain, id_ + position)


def read_place(space: Space, domain: bytes, ids: Container[bytes], given: str) -> bytes:
    """The inverse of `write_place`, for the profile that now has these ids. BadCursor."""
    raw = space.read_cursor(domain, given)
    if raw[:_ID] not in ids:
        raise BadCursor
    return raw[_ID:]


def mark(space: Space, name: bytes) -> bytes:
    """What stands in a cursor for what has this name in its list."""
    return space.keys.mac(_MARK, name)


def after_mark(space: Space, items: Sequence[T], position: bytes, name: Callable[[T], bytes]) -> Sequence[T]:
    """The items after the one that is marked. BadCursor where it is gone."""
    for number, item in enumerate(items, 1):
        if compare_digest(position, mark(space, name(item))):
            return items[number:]
    raise BadCursor
