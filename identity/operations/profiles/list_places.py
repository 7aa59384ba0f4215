"""Places in the lists of one profile or group, as cursors hold them.

A place is an owner with a packed position. A cursor is valid for one list of one profile of one space. It holds a
number or a keyed hash of the last item, never a name or a blind index, which would be personal data.
"""

from collections.abc import Callable, Container, Sequence
from hmac import compare_digest
from typing import TypeVar

from identity.spaces.space import Space
from identity.values.errors import BadCursor

_ID = 16
_MARK = b"mark"
T = TypeVar("T")


def write_place(space: Space, domain: bytes, owner: bytes, packed_position: bytes) -> str:
    """Encode a place in a list; `owner` is the canonical id of its profile or the mark of the id of its group."""
    return space.write_cursor(domain, owner + packed_position)


def read_place(space: Space, domain: bytes, owners: Container[bytes], given: str) -> bytes:
    """Decode a place in a list; `owners` are all ids of its profile, or the mark of its group. BadCursor."""
    packed_place = space.read_cursor(domain, given)
    if packed_place[:_ID] not in owners:
        raise BadCursor
    return packed_place[_ID:]


def mark(space: Space, name: bytes) -> bytes:
    """The keyed hash of a name, which stands for it in a cursor."""
    return space.keys.mac(_MARK, name)


def after_mark(space: Space, items: Sequence[T], packed_position: bytes, name: Callable[[T], bytes]) -> Sequence[T]:
    """The items after the marked one. BadCursor where it is gone."""
    for number, item in enumerate(items, 1):
        if compare_digest(packed_position, mark(space, name(item))):
            return items[number:]
    raise BadCursor
