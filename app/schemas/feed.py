"""The wire shapes of what a destination reads, profiles and its feed, and how values become them."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from app.schemas.encoded_lookup import encode_each
from app.schemas.fields import PublicProfileId, Time
from app.schemas.problems import EntryProblem, entry_problems
from identity.operations.destinations.acknowledge_changes import Acknowledgement
from identity.operations.destinations.destination_read import SeenByReference, VisibleProfile
from identity.operations.destinations.destination_scope import VisibleIdentifier
from identity.operations.destinations.opened_items import ItemOp
from identity.operations.destinations.read_changes import ChangePage, PushPage, VisibleChange
from identity.planning.destinations.audience import Audience
from identity.planning.resolution.event_time import format_time
from identity.values.ids import public_profile
from identity.values.json import JsonObject

MOST_ASKED = 1_000


class SeenProfile(Struct):
    """The visible part of a profile; `consent` is `withheld` where nothing is visible any more."""

    profile_id: PublicProfileId
    merged_from: list[PublicProfileId]
    version: int
    consent: Literal["granted", "withheld"]
    identifiers: list[VisibleIdentifier]
    traits: JsonObject


class SeenLookup(Struct, forbid_unknown_fields=True):
    """The profiles to look up, by `type:value` or profile id."""

    identifiers: Annotated[list[str], Meta(min_length=1, max_length=MOST_ASKED)]


class SeenProfiles(Struct):
    """Profiles by identifier as written in the request; null where nobody is visible or the entry has an error."""

    profiles: dict[str, SeenProfile | None]
    errors: list[EntryProblem]


def seen_profile(value: VisibleProfile) -> SeenProfile:
    """The visible part of a profile as the API answers it."""
    return SeenProfile(
        profile_id=public_profile(value.id),
        merged_from=[public_profile(id_) for id_ in value.merged_from],
        version=value.version,
        consent="withheld" if value.nothing else "granted",
        identifiers=value.identifiers,
        traits=value.traits,
    )


def seen_profiles(found: SeenByReference) -> SeenProfiles:
    """The answer of a lookup. TooMuch where it is too large."""
    profiles = encode_each(found.profiles, seen_profile, lambda each: each.id)
    return SeenProfiles(profiles, entry_problems(found.faults))


class FeedEntry(Struct):
    """One change. A greater `version` of a profile is newer; an `upsert` holds the whole state."""

    op: ItemOp
    profile_id: PublicProfileId
    version: int
    other_profile_ids: list[PublicProfileId]
    identifiers: list[VisibleIdentifier]
    traits: JsonObject
    at: Time


class FeedPage(Struct, omit_defaults=True):
    """A page of the feed, and the cursor after it, also when the page is empty.

    If the feed is empty from its beginning, `audience` says what keeps the profiles out.
    """

    changes: list[FeedEntry]
    cursor: str
    has_more: bool
    audience: Audience | None = None


class FeedMessage(Struct, omit_defaults=True):
    """A page as the callback receives it; with `resync` the feed starts again from the beginning."""

    destination_id: str
    changes: list[FeedEntry]
    cursor: str
    resync: bool = False


def feed_entry(value: VisibleChange) -> FeedEntry:
    """A change as the API answers it."""
    return FeedEntry(
        op=value.op,
        profile_id=public_profile(value.profile),
        version=value.version,
        other_profile_ids=[public_profile(id_) for id_ in value.other_profile_ids],
        identifiers=value.identifiers,
        traits=value.traits,
        at=format_time(value.at),
    )


def feed_page(value: ChangePage, audience: Audience | None = None) -> FeedPage:
    """A page of the feed."""
    return FeedPage([feed_entry(each) for each in value.changes], value.cursor, value.more, audience)


def feed_message(destination_id: str, page: PushPage, resync: bool) -> bytes:  # noqa: FBT001 (a fact of the page)
    """The body of a message to a callback."""
    changes = [feed_entry(each) for each in page.changes]
    return msgspec.json.encode(FeedMessage(destination_id, changes, page.cursor, resync))


class FeedCursor(Struct, forbid_unknown_fields=True):
    """The `cursor` of a page, as a destination acknowledges it."""

    cursor: Annotated[str, Meta(max_length=500)]


class Acknowledged(Struct):
    """All changes up to the cursor count as applied; `erasures` counts the erasures that are now done."""

    acknowledged_at: Time
    erasures: int


def acknowledged(value: Acknowledgement) -> Acknowledged:
    """An acknowledgement as the API answers it."""
    return Acknowledged(format_time(value.at), value.erasures)
