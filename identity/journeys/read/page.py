"""What a caller of the Profile API asks for, and the cursor its lists end with."""

from typing import Any, NamedTuple

from identity.ids import public
from identity.spaces import Space


class Wanted(NamedTuple):
    """The parameters of a list, checked; times in microseconds, `start` in it and `end` not.

    `include` and `exclude` are names: of traits, of types or of events, as the list has it.
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


class Answered(NamedTuple):
    """What is answered, and the public id of the profile it is about (for the audit)."""

    profile_id: str | None
    document: dict[str, Any]


def cursor(space: Space, collection: str, place: str, wanted: Wanted, next_: str | None) -> dict[str, Any]:
    """Where a list goes on; `place` is what follows the profiles of the collection in its address."""
    url = f"/v1/spaces/{public('spc', space.public_id)}/collections/{collection}/profiles{place}"
    return {"url": url, "has_more": next_ is not None, "next": next_ or "", "limit": wanted.limit}
