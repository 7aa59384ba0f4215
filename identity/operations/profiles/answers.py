"""Answers that several reads share: a profile, a line of its history, its consent at a time.

The API, litigation holds and access exports show them alike. So the value holds public ids and formatted times,
and is encoded as it stands: a profile read renders nothing twice.
"""

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from identity.values.json import JsonObject
from identity.values.public_fields import PublicProfileId, Time


class LinkedIdentifier(Struct):
    """An identifier of a profile."""

    type: str
    value: str
    first_seen: Time
    last_seen: Time
    retired: bool


class ConsentDecision(Struct):
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
    version: int
    event_count: int
    identifiers: list[LinkedIdentifier]
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


class HistoryIdentifier(Struct):
    """An identifier in a history; type and value are null where it was erased. `reason`: why it was demoted."""

    type: str | None
    value: str | None
    reason: str | UnsetType = UNSET


class HistoryLine(Struct):
    """One line of a history. Either a call caused it (`message_id`) or a key or the operator did (`actor`)."""

    at: Time
    type: str
    profile_id: PublicProfileId
    rules_version: int | None
    message_id: str | None
    actor: str | UnsetType | None = UNSET
    other_profile_id: PublicProfileId | UnsetType = UNSET
    identifiers: list[HistoryIdentifier] | UnsetType = UNSET


class HistoryPage(Struct):
    """A page of the history, newest first."""

    history: list[HistoryLine]
    next_cursor: str | None


class CategoryAnswer(Struct):
    """The answer for a category, and the evidence for it."""

    value: bool
    conflict: bool
    captured_at: Time
    evidence_ids: list[str]


class PurposeAnswer(Struct):
    """Whether a purpose is permitted, why, and until when; `partly`: permitted for a part of the profile only."""

    granted: bool
    reason: str
    partly: bool
    until: Time | None


class ConsentStatement(Struct):
    """A call that states consent; `signal_sources` are the signals that it carries, such as `gpc` or `tcf`."""

    evidence_id: str
    type: str
    profile_id: PublicProfileId
    captured_at: Time
    received_at: Time
    source: str | None
    server_side: bool
    decisions: dict[str, bool]
    signals: dict[str, Any]
    signal_sources: list[str]
    invalid_signals: list[str]
    jurisdiction: Any
    evidence: Any


class ConsentAt(Struct):
    """The consent of a person at a time, what it permitted, and every statement up to then."""

    profile_id: PublicProfileId
    at: Time
    consent: dict[str, CategoryAnswer]
    purposes: dict[str, PurposeAnswer]
    history: list[ConsentStatement]
