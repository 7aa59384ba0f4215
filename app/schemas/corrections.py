"""Unmerging profiles and removing identifiers."""

from typing import Annotated

from msgspec import Meta, Struct

from identity.values.public_fields import PublicProfileId

MOST_PARTED = 10_000


class Unmerge(Struct):
    """Identifiers, written `type:value`, that leave their profile; `block` keeps the two sides apart."""

    identifiers: Annotated[list[str], Meta(min_length=1, max_length=MOST_PARTED)]
    block: bool = True


class Parted(Struct):
    """The profile that the identifiers are now, and the one they left."""

    profile_id: PublicProfileId
    remaining_profile_id: PublicProfileId


class Removed(Struct):
    """The profile an identifier was taken off, null where it was nobody's; whether it is blocked."""

    profile_id: PublicProfileId | None
    blocked: bool
