"""The shapes of purposes, destinations, what these are shown, and consent."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from app.schemas.native import ProfileId, Time

MOST_ASKED = 1_000

Answer = Literal["deny", "allow"]
PurposeClass = Literal["ads", "analytics", "personalisation", "functional", "sale_share", "sensitive", "necessary"]


class Purpose(Struct, rename={"class_": "class"}):
    """What data is used for; a grant of it lasts `ttl_days`, for ever where that is null."""

    id: Annotated[str, Meta(min_length=1, max_length=64, examples=["Marketing"])]
    class_: PurposeClass
    ttl_days: Annotated[int, Meta(ge=1, le=36_500)] | None = None


class PurposesDocument(Struct):
    """The purposes of a space, whole, and what holds where nobody decided, by region (`DE`, `US-CA`) and class.

    `override_opt_out`: a later grant of a purpose itself lifts an opt-out (GPC, GPP, US Privacy) of its class.
    """

    purposes: list[Purpose] = []
    unset: Answer = "deny"
    regions: dict[str, Answer | dict[str, Answer]] = {}
    override_opt_out: bool = False


class PurposesInForce(PurposesDocument):
    """The same, with the version in force."""

    version: int = 0


class PurposesVersion(Struct):
    """The version that is in force now."""

    version: int


class DestinationDocument(Struct):
    """What a destination may see: all of its `purposes` have to be granted; `*` names all."""

    purposes: Annotated[list[str], Meta(examples=[["Marketing"]])] = []
    traits: Annotated[list[str], Meta(examples=[["email", "plan"]])] = []
    identifiers: Annotated[list[str], Meta(examples=[["user_id"]])] = []
    callback_url: str | None = None


class DestinationPut(Struct):
    """A destination; only a new one is told its secret, and one that had no callback that of its callback."""

    destination_id: str
    version: int
    secret: str | None = None
    callback_secret: str | None = None


class DestinationSecret(Struct):
    """A new secret beside the one before it; older ones have ended."""

    destination_id: str
    secret: str
    callback_secret: str | None = None


class Destination(Struct):
    """A destination, and how far it is. `push` says how sending to its callback goes.

    `behind_since`: when the oldest change came about that it has not acknowledged, of people it had been
    told of; `overdue` after seven days.
    """

    destination_id: str
    name: str
    version: int
    purposes: list[str]
    traits: list[str]
    identifiers: list[str]
    callback_url: str | None
    acknowledged_at: Time | None
    pushed_at: Time | None
    push: Literal["off", "working", "failing", "dead"]
    erasures_waiting: int
    behind_since: Time | None
    overdue: bool


class DestinationList(Struct):
    """The destinations of a space, by name."""

    destinations: list[Destination]


class SeenIdentifier(Struct):
    """An identifier that may be seen."""

    type: str
    value: str


class SeenProfile(Struct):
    """What a destination may see of a profile now; `consent` is `withheld` where that is nothing any more."""

    profile_id: ProfileId
    merged_from: list[ProfileId]
    version: int
    consent: Literal["granted", "withheld"]
    identifiers: list[SeenIdentifier]
    traits: dict[str, Any]


class SeenLookup(Struct):
    """Whom to look up, by `type:value` or profile id."""

    identifiers: Annotated[list[str], Meta(min_length=1, max_length=MOST_ASKED)]


class SeenProfiles(Struct):
    """By identifier as it was written; null where there is nobody to see."""

    profiles: dict[str, SeenProfile | None]


class FeedEntry(Struct):
    """One change. Of a profile, greater versions are newer; an `upsert` is its whole state."""

    op: Literal["upsert", "merge", "unmerge", "withdraw", "erase"]
    profile_id: ProfileId
    version: int
    other_profile_ids: list[ProfileId]
    identifiers: list[SeenIdentifier]
    traits: dict[str, Any]
    at: Time


class FeedPage(Struct):
    """A page of the feed, and the cursor to go on from, also when it is empty."""

    changes: list[FeedEntry]
    cursor: str
    has_more: bool


class FeedPlace(Struct):
    """A place in the feed, from a page."""

    cursor: Annotated[str, Meta(max_length=500)]


class Acknowledged(Struct):
    """Everything up to the place counts as applied; so many erasures were acknowledged with it."""

    acknowledged_at: Time
    erasures: int


class Decisions(Struct):
    """What somebody decided, by category; `evidence` is kept sealed with it. Without a time it was now."""

    identifier: Annotated[str, Meta(examples=["email:ann@example.com"])]
    decisions: dict[str, bool] = {}
    captured_at: str | None = None
    jurisdiction: Annotated[str | None, Meta(examples=["DE", "US-CA"])] = None
    minor: bool | None = None
    evidence: Any = None


class Recorded(Struct):
    """What was recorded; `evidence_id` names it."""

    profile_id: ProfileId
    evidence_id: str
    captured_at: Time
    decisions: dict[str, bool]


class CategoryAnswer(Struct):
    """The answer for a category and the evidence it rests on."""

    value: bool
    conflict: bool
    captured_at: Time
    evidence_ids: list[str]


class PurposeAnswer(Struct):
    """Whether a purpose may be served, why, and until when; `partly`: only with some of what is known."""

    granted: bool
    reason: str
    partly: bool
    until: Time | None


class ConsentStatement(Struct):
    """A call that said something of consent; `signal_sources` by which signals, as `gpc` or `tcf`."""

    evidence_id: str
    type: str
    profile_id: ProfileId
    captured_at: Time
    received_at: Time
    source: str | None
    server_side: bool
    decisions: dict[str, bool]
    signals: dict[str, Any]
    signal_sources: list[str]
    invalid_signals: list[str]
    jurisdiction: str | None
    evidence: Any


class ConsentAt(Struct):
    """What a person had decided at a time, what that permitted, and every statement up to then."""

    profile_id: ProfileId
    at: Time
    consent: dict[str, CategoryAnswer]
    purposes: dict[str, PurposeAnswer]
    history: list[ConsentStatement]


class PurposeGranted(Struct):
    """Whether a purpose is granted where a trait lies, why, and until when."""

    granted: bool
    reason: str
    until: Time | None


class PassedGate(Struct):
    """One gate; `purposes` stands at the one that asks for them."""

    gate: str
    result: Literal["pass", "fail", "unknown"]
    reason: str
    detail: str
    purposes: dict[str, PurposeGranted]


class GapExplained(Struct):
    """The gates between a trait and a destination, in order; `stopped_at` is the first that did not pass."""

    destination_id: str
    trait: str
    profile_id: ProfileId | None
    stopped_at: str | None
    gates: list[PassedGate]
