"""Defines what a privacy request does with identifiers that public keys alone have joined to its people.

Everybody can use a public key. So a stranger may have joined a device of hers to the person, or the person to herself;
a request about one of them then is about both.
"""

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct

from identity.values.errors import Refused

JoinPolicy = Literal["include", "refuse", "cut"]
"""`include`: the request is about all of the profile. `refuse`: nothing is done where such joins exist. `cut`: the side
of the named identifiers is unmerged first, and the request is about this side."""
MOST_LISTED: Final = 100


class PublicJoins(Struct, frozen=True):
    """The identifiers that public keys alone have joined to the people of a request: the first ones of `total`.

    `cut`: they were parted from the people first, so the request is not about them. Of an earlier request `total` is
    known alone.
    """

    total: int
    identifiers: Sequence[str] = ()
    cut: bool = False


class PublicJoinsFound(Refused):
    """Public keys alone have joined identifiers to these people, which the request refuses; nothing was done."""

    code = "public_joins"

    def __init__(self, total: int = 0, people: int = 0) -> None:
        super().__init__(
            f"Public keys alone have joined {total} identifiers to {people} of the people, which the request refuses;"
            " nothing was done. GET /v1/profiles/{ref}/graph shows the links with their classes. Unmerge what is"
            ' of somebody else (POST /v1/profiles/unmerge), or send "public_joins": "include" or "cut".'
        )


def public_joins(joined: Sequence[tuple[int, Sequence[str]]], *, cut: bool) -> PublicJoins:
    """The joins of the people of a request, given the number and the first of the identifiers joined to each."""
    listed = [text for _, texts in joined for text in texts]
    return PublicJoins(sum(total for total, _ in joined), listed[:MOST_LISTED], cut)
