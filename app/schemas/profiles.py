"""The wire shapes of profiles and their history, and how values become them."""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from app.schemas.encoded_lookup import encode_each
from app.schemas.fields import PublicProfileId, Time
from app.schemas.problems import EntryProblem, entry_problems
from identity.operations.profiles.profile import FoldedProfile, ProfileIdentifier, SetTrait
from identity.operations.profiles.read_history import HistoryEntries, HistoryEntry, NamedIdentifier, RulesChange
from identity.operations.profiles.read_profile import IdentifierPage, LookedUpProfiles, ProfilePage
from identity.planning.consent.fold import ConsentAnswer
from identity.planning.resolution.event_time import format_time
from identity.values.ids import public_profile
from identity.values.json import JsonObject
from identity.values.stamps import Micros

MOST_LOOKED_UP = 1_000


class Lookup(Struct, forbid_unknown_fields=True):
    """Identifiers to look up, each as `type:value`."""

    identifiers: Annotated[list[str], Meta(max_length=MOST_LOOKED_UP)]


class LinkedIdentifier(Struct, gc=False):
    """An identifier of a profile. `waits_for_proof`: public keys alone have linked it; else absent."""

    type: str
    value: str
    first_seen: Time
    last_seen: Time
    retired: bool
    waits_for_proof: bool | UnsetType = UNSET


class ConsentDecision(Struct, gc=False):
    """The decision for one category; `conflict`: profiles that were merged had decided differently."""

    value: bool
    conflict: bool
    captured_at: Time


class TraitProvenance(Struct):
    """A trait with the call that set it and the profile at which that call arrived."""

    value: Any
    updated_at: Time
    message_id: str | None
    profile_id: PublicProfileId


class CanonicalProfile(Struct):
    """A canonical profile."""

    profile_id: PublicProfileId
    merged_from: list[PublicProfileId]
    created_at: Time
    updated_at: Time
    first_seen: Annotated[Time | None, Meta(description="The earliest event time of its identifiers.")]
    last_seen: Annotated[Time | None, Meta(description="The latest event time of its identifiers.")]
    version: int
    event_count: int
    identifiers: Annotated[
        list[LinkedIdentifier], Meta(description="The first 1,000; `GET /v1/profiles/{ref}/identifiers` lists all.")
    ]
    identifiers_total: int
    traits: Annotated[
        JsonObject,
        Meta(description="Values by name; with `verbose`, objects of value, updated_at, message_id and profile_id."),
    ]
    consent: dict[str, ConsentDecision]
    groups: list[str]


class ProfileList(Struct):
    """A page of profiles; `next_cursor` is null on the last one."""

    profiles: list[CanonicalProfile]
    next_cursor: str | None


class IdentifierList(Struct):
    """A page of the identifiers of a profile in the order of linking; `next_cursor` is null on the last one."""

    profile_id: PublicProfileId
    identifiers: list[LinkedIdentifier]
    identifiers_total: int
    next_cursor: str | None


class FoundProfiles(Struct):
    """The profile of each identifier of the request; null where there is none, and for an entry with an error."""

    profiles: dict[str, CanonicalProfile | None]
    errors: list[EntryProblem]


class HistoryIdentifier(Struct):
    """An identifier in a history; type and value are null where it was erased. `reason`: why it was demoted."""

    type: str | None
    value: str | None
    reason: str | UnsetType = UNSET


class HistoryLine(Struct):
    """One line of a history. Either a call caused it (`message_id`) or a key or the operator did (`actor`).

    `server_side`: the key of the call was no public one; absent without a call. `proven` are the identifiers that its
    identity token proved; absent without any.
    """

    at: Time
    type: str
    profile_id: PublicProfileId
    rules_version: int | None
    message_id: str | None
    server_side: bool | UnsetType = UNSET
    proven: list[str] | UnsetType = UNSET
    actor: str | UnsetType | None = UNSET
    other_profile_id: PublicProfileId | UnsetType = UNSET
    identifiers: list[HistoryIdentifier] | UnsetType = UNSET


class HistoryPage(Struct):
    """A page of the history, newest first."""

    history: list[HistoryLine]
    next_cursor: str | None


def canonical_profile(value: FoldedProfile) -> CanonicalProfile:
    """A profile as the API answers it."""
    traits = value.traits
    if value.set_traits is not None:
        traits = {name: _trait_provenance(trait) for name, trait in value.set_traits.items()}
    return CanonicalProfile(
        profile_id=public_profile(value.id),
        merged_from=[public_profile(id_) for id_ in value.merged_from],
        created_at=format_time(value.created_at),
        updated_at=format_time(value.updated_at),
        first_seen=_optional_time(value.first_seen),
        last_seen=_optional_time(value.last_seen),
        version=value.version,
        event_count=value.event_count,
        identifiers=[_linked_identifier(each) for each in value.identifiers],
        identifiers_total=value.identifiers_total,
        traits=traits,
        consent={category: _consent_decision(answer) for category, answer in value.consent.items()},
        groups=value.groups,
    )


def profile_list(value: ProfilePage) -> ProfileList:
    """A page of profiles."""
    return ProfileList([canonical_profile(each) for each in value.profiles], value.next_cursor)


def identifier_list(value: IdentifierPage) -> IdentifierList:
    """A page of the identifiers of a profile."""
    shown = [_linked_identifier(each) for each in value.identifiers]
    return IdentifierList(public_profile(value.profile_id), shown, value.total, value.next_cursor)


def found_profiles(value: LookedUpProfiles) -> FoundProfiles:
    """The answer of a lookup. TooMuch where it is too large."""
    profiles = encode_each(value.profiles, canonical_profile, lambda each: each.id)
    return FoundProfiles(profiles, entry_problems(value.faults))


def history_page(value: HistoryEntries) -> HistoryPage:
    """A page of the history."""
    return HistoryPage([history_line(entry) for entry in value.entries], value.next_cursor)


def history_line(value: HistoryEntry | RulesChange) -> HistoryLine:
    """One line of a history."""
    if isinstance(value, RulesChange):
        return HistoryLine(
            at=format_time(value.at),
            type="rules_changed",
            profile_id=public_profile(value.origin),
            rules_version=value.rules_version,
            message_id=None,
            actor=value.actor,
        )
    return HistoryLine(
        at=format_time(value.at),
        type=value.kind.label,
        profile_id=public_profile(value.origin),
        rules_version=value.rules_version,
        message_id=value.message_id,
        server_side=UNSET if value.server_side is None else value.server_side,
        proven=value.proven or UNSET,
        actor=value.actor if value.by_key else UNSET,
        other_profile_id=UNSET if value.other is None else public_profile(value.other),
        identifiers=(UNSET if value.identifiers is None else [_history_identifier(each) for each in value.identifiers]),
    )


def _optional_time(micros: Micros | None) -> str | None:
    return None if micros is None else format_time(micros)


def _linked_identifier(value: ProfileIdentifier) -> LinkedIdentifier:
    return LinkedIdentifier(
        type=value.type,
        value=value.value,
        first_seen=format_time(value.first_seen),
        last_seen=format_time(value.last_seen),
        retired=value.retired,
        waits_for_proof=value.waits_for_proof or UNSET,
    )


def _consent_decision(answer: ConsentAnswer) -> ConsentDecision:
    return ConsentDecision(answer.value, answer.conflict, format_time(answer.captured_at))


def _trait_provenance(value: SetTrait) -> TraitProvenance:
    return TraitProvenance(
        value=value.value,
        updated_at=format_time(value.updated_at),
        message_id=value.message_id,
        profile_id=public_profile(value.origin),
    )


def _history_identifier(value: NamedIdentifier) -> HistoryIdentifier:
    return HistoryIdentifier(value.type, value.value, UNSET if value.reason is None else value.reason)
