"""The shapes of the native surface, in requests and in answers.

Requests are decoded into these; answers are written down here for the OpenAPI document only,
since a read is encoded straight from what the journey returns. More fields may come in answers,
and a field that is not known is passed over in requests.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from identity.values.calls import Outcome

MOST_LOOKED_UP = 1_000
MOST_LISTED = 1_000
LISTED = 100

Time = Annotated[str, Meta(description="RFC 3339, UTC.", examples=["2026-01-31T12:00:00.000Z"])]
ProfileId = Annotated[str, Meta(examples=["prf_0197c1a2b3c47d5e8f90a1b2c3d4e5f6"])]
Name = Annotated[str, Meta(min_length=1, max_length=200)]


class Problem(Struct):
    """An error (RFC 9457). `code` is stable, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class NewSpace(Struct):
    """A space to be created."""

    name: Name


class FirstKeys(Struct, rename={"import_": "import"}):
    """The keys a space starts with. They are shown this once."""

    write: str
    import_: str
    profiles: str
    privacy: str
    admin: str


class SpaceMade(Struct):
    """A space that was created."""

    space_id: str
    name: str
    keys: FirstKeys


class SpaceInfo(Struct):
    """A space."""

    space_id: str
    name: str
    created_at: Time


class SpaceList(Struct):
    """All spaces, oldest first."""

    spaces: list[SpaceInfo]
    next_cursor: None


class NewKey(Struct):
    """A key to be created."""

    name: Name
    scopes: Annotated[list[str], Meta(min_length=1, max_length=64)]


class KeyMade(Struct):
    """A key that was created; its secret is shown this once."""

    key_id: str
    secret: str
    name: str
    scopes: list[str]


class KeyInfo(Struct):
    """A key, without its secret."""

    key_id: str
    name: str
    scopes: list[str]
    created_at: Time


class KeyList(Struct):
    """The live keys of a space, oldest first."""

    keys: list[KeyInfo]
    next_cursor: None


class Limit(Struct):
    """How many identifiers of a type a profile may have; with `days`, within so many days."""

    max: int
    days: int | UnsetType = UNSET


class RulesDocument(Struct):
    """The rules of a space. What is left out has its default."""

    limits: dict[str, Limit] | UnsetType = UNSET
    default_limit: Limit | UnsetType = UNSET
    priority: list[str] | UnsetType = UNSET
    blocked: Annotated[dict[str, list[str]], Meta(description="RE2 patterns by type.")] | UnsetType = UNSET
    max_identifiers: int | UnsetType = UNSET
    max_merges: int | UnsetType = UNSET
    region: Annotated[str, Meta(examples=["US"])] | UnsetType = UNSET
    promote_property_email: bool | UnsetType = UNSET
    alias_rename: Literal["server", "any"] | UnsetType = UNSET


class RulesInForce(RulesDocument, kw_only=True):
    """The rules in force, defaults filled in."""

    version: int


class RulesVersion(Struct):
    """The version under which every later call is planned."""

    version: int


class Lookup(Struct):
    """Identifiers to be looked up, each written `type:value`."""

    identifiers: Annotated[list[str], Meta(max_length=MOST_LOOKED_UP)]


class ProfileIdentifier(Struct):
    """An identifier of a profile."""

    type: str
    value: str
    first_seen: Time
    last_seen: Time
    retired: bool


class Consent(Struct):
    """The decision for one category; `conflict` where merged profiles had decided differently."""

    value: bool
    conflict: bool
    captured_at: Time


class Profile(Struct):
    """A canonical profile."""

    profile_id: ProfileId
    merged_from: list[ProfileId]
    created_at: Time
    updated_at: Time
    version: int
    event_count: int
    identifiers: list[ProfileIdentifier]
    traits: Annotated[
        dict[str, Any],
        Meta(description="Values; with `verbose`, each as value, updated_at, message_id and profile_id."),
    ]
    consent: dict[str, Consent]
    groups: list[str]


class Profiles(Struct):
    """Profiles by identifier as it was asked for."""

    profiles: dict[str, Profile | None]


class ProfilePage(Struct):
    """A page of profiles; `next_cursor` is null on the last one."""

    profiles: list[Profile]
    next_cursor: str | None


class Happened(Struct):
    """One line of a history."""

    at: Time
    type: str
    profile_id: ProfileId
    rules_version: int | None
    message_id: str | None
    other_profile_id: ProfileId | UnsetType = UNSET
    actor: str | UnsetType | None = UNSET
    identifiers: list[dict[str, Any]] | UnsetType = UNSET


class HistoryPage(Struct):
    """A page of the history, newest first."""

    history: list[Happened]
    next_cursor: str | None


class Group(Struct):
    """A group; `member_count` is exact unless `approximate`."""

    group_id: str
    traits: dict[str, Any]
    member_count: int
    approximate: bool


class Left(Struct):
    """A profile that is no member of a group."""

    group_id: str
    profile_id: ProfileId
    member: Literal[False]


class Health(Struct):
    """How the service is."""

    status: Literal["ok"]


class CallBody(Struct, rename="camel"):
    """One call, in Segment's format; what is not named here is kept with it."""

    user_id: str | int | UnsetType | None = UNSET
    anonymous_id: str | int | UnsetType | None = UNSET
    message_id: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET
    timestamp: Time | UnsetType = UNSET
    sent_at: Time | UnsetType = UNSET
    context: dict[str, Any] | UnsetType = UNSET
    traits: dict[str, Any] | UnsetType = UNSET
    properties: dict[str, Any] | UnsetType = UNSET
    event: str | UnsetType = UNSET
    group_id: str | int | UnsetType = UNSET
    previous_id: str | int | UnsetType = UNSET
    write_key: str | UnsetType = UNSET


class BatchedCall(CallBody, kw_only=True):
    """One call of a batch."""

    type: Literal["identify", "track", "page", "screen", "group", "alias"]


class Batch(Struct, rename="camel"):
    """Calls of one request; they are committed together. `context` is merged into each of them."""

    batch: Annotated[list[BatchedCall], Meta(max_length=2_500)]
    sent_at: Time | UnsetType = UNSET
    context: dict[str, Any] | UnsetType = UNSET
    write_key: str | UnsetType = UNSET


class Accepted(Struct):
    """Everything that is not named as rejected is committed."""

    success: Literal[True]
    outcomes: list[Outcome] | UnsetType = UNSET


class Refused(Struct):
    """A refusal on the collection surface; nothing of the request was stored."""

    success: Literal[False]
    code: str
    message: str
