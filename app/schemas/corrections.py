"""Unmerging profiles, removing identifiers, and joins that wait for proof."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from app.schemas.fields import PublicProfileId, Time
from identity.operations.corrections.remove_identifier import RemovedIdentifier
from identity.operations.corrections.unmerge_profile import UnmergedProfiles
from identity.operations.profiles.read_joins import ClaimedJoin, ClaimedJoins
from identity.planning.resolution.event_time import format_time
from identity.values.ids import public, public_profile

MOST_PARTED = 10_000
MOST_REASON = 1_000


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


JoinStatus = Literal["waiting", "made", "refused"]


class Join(Struct):
    """A join that a public key claims, which waits for a server key, an identity token or a person to prove it.

    `claimed_by` named the identifier and does not have it; `borne_by` has it. Null where nobody has it: then the
    identifier waits beside one that a server key has set. The two are the same once the join is made. `source` is the
    id of the key of the first call, and `class` the class of the calls.
    """

    join_id: Annotated[str, Meta(examples=["jon_5f0c…"])]
    state: JoinStatus
    type: str
    value: str
    claimed_by: PublicProfileId
    borne_by: PublicProfileId | None
    first_seen: Time
    last_seen: Time
    times: Annotated[int, Meta(description="The number of stored calls that claim it.")]
    source: str | None
    class_: Annotated[Literal["public"], Meta(description="The class of its source.")] = field(
        name="class", default="public"
    )
    refused_at: Time | None = None


class JoinPage(Struct):
    """A page of the joins, the newest first. A page may be shorter than `limit` where `next_cursor` is not null."""

    joins: list[Join]
    next_cursor: str | None


class JoinDecision(Struct, forbid_unknown_fields=True):
    """Why a join is confirmed or refused; encrypted with the data of the side that claims."""

    reason: Annotated[str, Meta(max_length=MOST_REASON)] | None = None


def join_info(value: ClaimedJoin) -> Join:
    """Renders a join."""
    return Join(
        join_id=public("jon", value.id),
        state=value.state.value,
        type=value.type,
        value=value.value,
        claimed_by=public_profile(value.claimed_by),
        borne_by=None if value.borne_by is None else public_profile(value.borne_by),
        first_seen=format_time(value.since),
        last_seen=format_time(value.last),
        times=value.times,
        source=value.source,
        refused_at=None if value.refused_at is None else format_time(value.refused_at),
    )


def join_page(value: ClaimedJoins) -> JoinPage:
    """Renders a page of joins."""
    return JoinPage([join_info(each) for each in value.joins], value.next_cursor)
