"""The wire shape of identifiers that public keys alone have joined to the people of a privacy request."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from identity.planning.privacy import public_joins as planning
from identity.planning.privacy.public_joins import MOST_LISTED, JoinPolicy

_INCLUDED: Final = (
    "Public keys alone have joined these identifiers to the people, and the request is about them too. Where one is of"
    ' somebody else, unmerge it before the next request (POST /v1/profiles/unmerge), or send "public_joins": "refuse"'
    ' or "cut".'
)
_CUT: Final = (
    "Public keys alone had joined these identifiers to the people. They were unmerged first, so the request is not"
    " about them; name those that belong to the people in another request."
)
Policy = Annotated[
    JoinPolicy,
    Meta(
        description="What to do with identifiers that public keys alone have joined to the people: `include` them,"
        " `refuse` the request, or `cut` them off first, so that the request is about the named identifiers and those"
        " that server-side keys or identity tokens have joined to them."
    ),
]


class JoinsByPublicKeys(Struct):
    """The identifiers that public keys alone have joined to the people, and what to do where one is of somebody else.

    `cut`: they were unmerged first. The answer to a repeated request lists none.
    """

    total: int
    identifiers: Annotated[list[str], Meta(description=f"The first {MOST_LISTED} of them.")]
    cut: bool
    advice: str


def public_joins(value: planning.PublicJoins | None) -> JoinsByPublicKeys | None:
    """The joins as the API shows them; null without any."""
    if value is None:
        return None
    return JoinsByPublicKeys(value.total, list(value.identifiers), value.cut, _CUT if value.cut else _INCLUDED)
