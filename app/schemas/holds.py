"""The wire shapes of litigation holds, and how values become them."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from app.schemas.fields import PublicProfileId, Time, TypeHint
from app.schemas.privacy import Reason
from app.schemas.profiles import CanonicalProfile, canonical_profile
from identity.operations.privacy.manage_holds import LitigationHold, ReleasedHold
from identity.operations.profiles.profile import FoldedProfile
from identity.planning.resolution.event_time import format_time
from identity.values.ids import public, public_profile
from identity.values.near_types import type_hint


class NewHold(Struct, forbid_unknown_fields=True):
    """A litigation hold: no person with one of these identifiers is erased while it is in force."""

    identifiers: list[str]
    reason: Reason


class HoldInfo(Struct):
    """A hold in force, and the people that it covers now.

    `found` is false where nobody has `not_found` of its `identifiers` now: for these the hold waits. `profiles` counts
    the people that the hold covers; `profile_ids` are the first 1,000 of their canonical ids.
    """

    hold_id: str
    created_at: Time
    identifiers: int
    reason: str
    actor: str
    found: bool
    not_found: int
    profiles: int
    profile_ids: list[PublicProfileId]


class HoldMade(HoldInfo, kw_only=True):
    """A new hold; `unknown` are the identifiers that nobody has."""

    unknown: list[str]
    hint: TypeHint


class Holds(Struct):
    """The holds of a space, the oldest first."""

    holds: list[HoldInfo]


class HeldProfiles(Struct):
    """The profiles under a hold."""

    profiles: list[CanonicalProfile]


class Released(Struct):
    """A hold that ended, and how many erasures it kept waiting that are carried out now."""

    hold_id: str
    released_at: Time
    resumed: int


def hold_info(value: LitigationHold) -> HoldInfo:
    """A hold as the API answers it."""
    return HoldInfo(**_hold_fields(value))


def hold_made(value: LitigationHold) -> HoldMade:
    """A new hold as the API answers it."""
    return HoldMade(**_hold_fields(value), unknown=list(value.unknown), hint=type_hint(value.unknown))


def _hold_fields(value: LitigationHold) -> dict[str, Any]:
    return {
        "hold_id": public("hld", value.id),
        "created_at": format_time(value.created_at),
        "identifiers": value.identifiers,
        "reason": value.reason,
        "actor": value.actor,
        "found": not value.not_found,
        "not_found": value.not_found,
        "profiles": value.profiles,
        "profile_ids": [public_profile(id_) for id_ in value.profile_ids],
    }


def held_profiles(found: Sequence[FoldedProfile]) -> HeldProfiles:
    """The profiles under a hold."""
    return HeldProfiles([canonical_profile(each) for each in found])


def released(value: ReleasedHold) -> Released:
    """A hold that ended."""
    return Released(public("hld", value.id), format_time(value.released_at), value.resumed)
