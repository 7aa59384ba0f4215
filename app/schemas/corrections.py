"""Unmerging profiles and removing identifiers."""

from typing import Annotated

from msgspec import Meta, Struct

from app.schemas.fields import PublicProfileId
from identity.operations.corrections.remove_identifier import RemovedIdentifier
from identity.operations.corrections.unmerge_profile import UnmergedProfiles
from identity.values.ids import public_profile

MOST_PARTED = 10_000


class Unmerge(Struct, forbid_unknown_fields=True):
    """Identifiers, written `type:value`, that leave their profile; `block` keeps the two sides apart."""

    identifiers: Annotated[list[str], Meta(min_length=1, max_length=MOST_PARTED)]
    block: bool = True


class Parted(Struct):
    """The profile that the identifiers have now, and the profile they left."""

    profile_id: PublicProfileId
    remaining_profile_id: PublicProfileId


def parted(value: UnmergedProfiles) -> Parted:
    """Renders an unmerge."""
    return Parted(public_profile(value.profile_id), public_profile(value.remaining_profile_id))


class Removed(Struct):
    """The profile that lost the identifier, and whether the identifier is blocked.

    `found` is false where no profile that can be read had it; `profile_id` is null then.
    """

    profile_id: PublicProfileId | None
    blocked: bool
    found: bool


def removed(value: RemovedIdentifier) -> Removed:
    """Renders the removal of an identifier."""
    found = value.profile_id is not None
    return Removed(None if value.profile_id is None else public_profile(value.profile_id), value.blocked, found)
