"""The items of an access export by section, and how values become them. A field that is not known is null."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType, structs

from app.schemas.consent import StatingCall, stating_call
from app.schemas.fields import PublicProfileId, Time, time_or_null
from app.schemas.profiles import CanonicalProfile, HistoryLine, canonical_profile, history_line
from identity.operations.privacy.access_exports.access_export_sections import (
    CallOfOrigin,
    CategoryAtOrigin,
    DecidedCategory,
    GroupAtOrigin,
    IdentifierOnSide,
    RecipientOfOrigin,
    SightingsAtOrigin,
    TraitAtOrigin,
)
from identity.operations.profiles.read_joins import JoinOfProfile
from identity.planning.resolution.event_time import format_time
from identity.values.calls import STORED_KINDS
from identity.values.ids import public, public_profile
from identity.values.json import JsonObject

_DATE: Final = len("2026-01-31")


class ExportedIdentifier(Struct):
    """An identifier. `waits_for_proof`: public keys alone have linked it; else absent.

    `side`: identifiers with different numbers are joined by calls of public keys alone, so they may be of two people;
    absent where server-side keys or identity tokens have joined all of them.
    """

    type: str
    value: str
    first_seen: Time
    last_seen: Time
    retired: bool
    profile_id: PublicProfileId
    waits_for_proof: bool | UnsetType = UNSET
    side: int | UnsetType = UNSET


class ExportedTrait(Struct):
    """A trait; `current`: it is the trait of the profile. A removed one is null."""

    name: str
    value: Any
    updated_at: Time
    current: bool
    message_id: str | None
    profile_id: PublicProfileId


class ExportedConsent(Struct):
    """A consent decision in force."""

    category: str
    value: bool
    captured_at: Time
    profile_id: PublicProfileId


class ExportedStatement(StatingCall):
    """What one call states for a category; `*`: for all of them."""

    category: str
    value: Any
    message_id: str


class ExportedGroup(Struct):
    """A group that the person joined or left."""

    group_id: str
    member: bool
    at: Time
    profile_id: PublicProfileId


class ExportedSightings(Struct):
    """How often one set of identifiers was seen, on how many days, and the last of them."""

    count: int
    days: int
    last_day: str
    profile_id: PublicProfileId


class ExportedDisclosure(Struct):
    """A destination that received data of the person, and when."""

    destination: str
    destination_id: str
    first: Time
    last: Time
    profile_id: PublicProfileId


class ExportedCall(Struct):
    """A call as it arrived. `server_side`: its key was no public one.

    `proven` are the identifiers that its identity token proved; absent without any.
    """

    type: str
    message_id: str
    timestamp: Time
    received_at: Time
    source: str | None
    server_side: bool
    body: JsonObject
    profile_id: PublicProfileId
    proven: list[str] | UnsetType = UNSET


class ExportedJoin(Struct):
    """A claim of public keys that the person and another profile are one, which waits for proof, was made or refused.

    `claimed_by_person`: calls of the person named the identifier; else those of somebody else named hers.
    """

    join_id: str
    state: str
    type: str
    value: str
    claimed_by_person: bool
    first_seen: Time
    last_seen: Time
    times: int
    refused_at: Time | None
    profile_id: PublicProfileId


class ExportedProfile(Struct):
    """Everything held about one profile; a profile that is erased during the download ends early."""

    profile: list[CanonicalProfile] | UnsetType = UNSET
    identifiers: list[ExportedIdentifier] | UnsetType = UNSET
    traits: list[ExportedTrait] | UnsetType = UNSET
    consent: list[ExportedConsent] | UnsetType = UNSET
    consent_history: list[ExportedStatement] | UnsetType = UNSET
    groups: list[ExportedGroup] | UnsetType = UNSET
    sightings: list[ExportedSightings] | UnsetType = UNSET
    history: list[HistoryLine] | UnsetType = UNSET
    disclosures: list[ExportedDisclosure] | UnsetType = UNSET
    calls: list[ExportedCall] | UnsetType = UNSET
    joins: list[ExportedJoin] | UnsetType = UNSET


def export_item(section: str, value: Struct) -> Struct:
    """The item of a value in a section."""
    return _ITEMS[section](value)


def _identifier(on_side: IdentifierOnSide) -> ExportedIdentifier:
    value = on_side.identifier
    return ExportedIdentifier(
        type=value.type,
        value=value.value,
        first_seen=format_time(value.first_seen),
        last_seen=format_time(value.last_seen),
        retired=value.retired,
        profile_id=public_profile(value.origin),
        waits_for_proof=value.waits_for_proof or UNSET,
        side=on_side.side or UNSET,
    )


def _join(value: JoinOfProfile) -> ExportedJoin:
    join = value.join
    return ExportedJoin(
        join_id=public("jon", join.id),
        state=join.state.value,
        type=join.type,
        value=join.value,
        claimed_by_person=value.claims,
        first_seen=format_time(join.since),
        last_seen=format_time(join.last),
        times=join.times,
        refused_at=time_or_null(join.refused_at),
        profile_id=public_profile(value.origin),
    )


def _trait(value: TraitAtOrigin) -> ExportedTrait:
    return ExportedTrait(
        name=value.name,
        value=value.value,
        updated_at=format_time(value.updated_at),
        current=value.current,
        message_id=value.message_id,
        profile_id=public_profile(value.origin),
    )


def _consent(value: CategoryAtOrigin) -> ExportedConsent:
    return ExportedConsent(value.category, value.value, format_time(value.captured_at), public_profile(value.origin))


def _statement(value: DecidedCategory) -> ExportedStatement:
    statement = value.statement
    return ExportedStatement(
        **structs.asdict(stating_call(statement)),
        category=value.category,
        value=value.value,
        message_id=statement.message_id,
    )


def _group(value: GroupAtOrigin) -> ExportedGroup:
    return ExportedGroup(value.group_id, value.member, format_time(value.at), public_profile(value.origin))


def _sightings(value: SightingsAtOrigin) -> ExportedSightings:
    return ExportedSightings(value.count, value.days, format_time(value.last_day)[:_DATE], public_profile(value.origin))


def _disclosure(value: RecipientOfOrigin) -> ExportedDisclosure:
    return ExportedDisclosure(
        destination=value.name,
        destination_id=public("dst", value.destination),
        first=format_time(value.first),
        last=format_time(value.last),
        profile_id=public_profile(value.origin),
    )


def _call(value: CallOfOrigin) -> ExportedCall:
    call = value.call
    return ExportedCall(
        type=STORED_KINDS[call.kind],
        message_id=call.message_id,
        timestamp=format_time(call.time),
        received_at=format_time(call.received),
        source=value.source,
        server_side=call.server,
        body=call.body,
        profile_id=public_profile(value.origin),
        proven=call.proven or UNSET,
    )


_ITEMS: Final[Mapping[str, Callable[[Any], Struct]]] = {
    "profile": canonical_profile,
    "identifiers": _identifier,
    "traits": _trait,
    "consent": _consent,
    "consent_history": _statement,
    "groups": _group,
    "sightings": _sightings,
    "history": history_line,
    "disclosures": _disclosure,
    "calls": _call,
    "joins": _join,
}
