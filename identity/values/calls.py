"""Calls and their outcomes: the values that extraction, planning, sealing and the store pass on.

Times are microseconds since 1970 (UTC), stamps are `microseconds << SLOT_BITS | writer slot`
(`identity.values.stamps`), ids of profiles are the 16 raw bytes of a UUID, and the key of an identifier is its
32-byte blind index. One form of each value spares every layer a conversion.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from msgspec import UNSET, Struct, UnsetType

from identity.values.documents import TimedSignal
from identity.values.enums import UNUSABLE, TrustClass
from identity.values.identity_tokens.claims import Proof
from identity.values.ids import BlindIndex
from identity.values.stamps import Micros

Kind = Literal[
    "identify", "track", "page", "screen", "group", "alias", "leave", "unmerge", "remove", "consent", "confirm",
    "refuse",
]  # fmt: skip
KINDS: tuple[Kind, ...] = ("identify", "track", "page", "screen", "group", "alias")
"""The kinds that clients send; only these count as events."""
ACTS: tuple[Kind, ...] = ("unmerge", "remove", "refuse")
"""The corrections of a profile: evidence without content of its own."""
STORED_KINDS: tuple[Kind, ...] = (*KINDS, "leave", "unmerge", "remove", "consent", "confirm", "refuse")
"""The stored kinds; the position of a kind is its stored number. Onefold itself makes three of the calls: a `leave`
takes a profile out of a group, a `consent` records the decisions of a person, a `confirm` links what a public key
claimed.
"""


class IndexVersions(NamedTuple):
    """The versions of the index key of a space that rows still use.

    New keys use `newest`. During a rotation the keys of profiles and groups may still use `live`, the version
    before. Message ids go back to `messages`, and values stored only as a hash to `oldest`.
    """

    newest: int = 1
    live: int = 1
    messages: int = 1
    oldest: int = 1

    @property
    def in_order(self) -> bool:
        """Whether no version is newer than the newest or older than the oldest."""
        return self.oldest <= min(self) <= max(self) <= self.newest


MICRO = 1_000_000
DAY = 86_400 * MICRO
LATE = 30 * DAY
"""How long calls from before an erasure may arrive."""


class Identifier(Struct, gc=False):
    """One normalised identifier. `key` is its blind index, set when the call is indexed."""

    type: str
    value: str
    key: BlindIndex = BlindIndex(b"")

    @property
    def text(self) -> str:
        """The form in the API: `type:value`."""
        return f"{self.type}:{self.value}"


class DemotedIdentifier(Struct, gc=False):
    """An identifier of a call that is not linked, and the reason as the API names it."""

    identifier: Identifier
    reason: str

    @property
    def shown(self) -> dict[str, str]:
        """The form in the outcome of a call."""
        return {"identifier": self.identifier.text, "reason": self.reason}


class Source(Struct, frozen=True, gc=False):
    """The sender of a call: the number of its API key, and whether the key is server-side (import or admin)."""

    key_number: int
    server: bool = False


class Alias(Struct, gc=False):
    """The previous id of an alias call, in its two readings.

    `user` and `anonymous` are None where the value is unusable; `assumed` names the reading that holds where
    neither is known. `to` is the user id of the call, the target of the link.
    """

    user: Identifier | None
    anonymous: Identifier | None
    assumed: Literal["user_id", "anonymous_id"]
    force: bool = False
    to: Identifier | None = None


class Call(Struct):
    """One extracted call, with its body as it arrived.

    `identifiers` are normalised, not blocked, without repeats, in document order; `demoted` are those refused
    before any lookup, each with its reason. `traits` are the traits of an identify, `group_traits` those of a
    group call, `consent` the decisions by category, `signals` the statements on classes of purposes,
    `invalid_signals` the names of signals that could not be read,
    `device` the tag of the device of a public call, `group` the group to join or leave. `unlinked`
    are the readings of a previous id without a link: no identifiers of the call, but named in its body. `message_key`
    is the keyed hash of `message_id`. `history` marks an imported call with a receipt time of its own.
    `ignored_times` are the fields of its body whose timestamp is no time; `guessed_time`: `time` is the receipt
    instead. `ignored_fields` are the fields of its body that are not read, each with the reason. `mended` counts values
    that no JSON can hold. `proof` is what an identity token proves of the call.
    """

    kind: Kind
    message_id: str
    time: Micros
    received: Micros
    source: Source
    body: dict[str, Any]
    identifiers: list[Identifier]
    demoted: list[DemotedIdentifier]
    traits: Mapping[str, Any] | None = None
    consent: Mapping[str, bool] | None = None
    signals: Mapping[str, TimedSignal] = {}
    invalid_signals: list[str] = []
    device: str | None = None
    group: str | None = None
    group_traits: Mapping[str, Any] | None = None
    alias: Alias | None = None
    unlinked: list[Identifier] = []
    message_key: bytes = b""
    group_key: bytes = b""
    history: bool = False
    ignored_times: tuple[str, ...] = ()
    guessed_time: bool = False
    ignored_fields: Mapping[str, str] = {}
    mended: int = 0
    proof: Proof | None = None

    @property
    def trust(self) -> TrustClass:
        """The class of the call: that of its key, or `proven` where a token proves the user id."""
        return trust_class(self.source, self.proof)

    @property
    def for_person(self) -> bool:
        """Whether what the call states on consent counts for the person, and not for a device alone."""
        return self.trust is not TrustClass.PUBLIC

    def vouches_for(self, identifier: Identifier) -> bool:
        """Whether an identifier is proven to be of the person: by a server key, or by an identity token."""
        if self.source.server:
            return True
        return self.proof is not None and self.proof.identifiers.get(identifier.type) == identifier.value


def trust_class(source: Source, proof: Proof | None) -> TrustClass:
    """The class of a call of a source with a proof."""
    if source.server:
        return TrustClass.SERVER
    return TrustClass.PUBLIC if proof is None else TrustClass.PROVEN


def demoted_identifiers(call: Call) -> list[Identifier]:
    """The demoted identifiers of a call that name somebody; a value that is no identifier names nobody."""
    return [demoted.identifier for demoted in call.demoted if demoted.reason not in UNUSABLE]


class Outcome(Struct, omit_defaults=False):
    """The outcome of one call; the answer to `Prefer: return=representation` shows it.

    `ignored_traits` are the names without room in a full document (`trait_limit`) and those of protected traits whose
    new values wait for proof (`protected_trait`). `hint` says what to change.
    `ignored_timestamp` names the fields whose timestamp is no time; `mended_values` counts the values that no JSON
    can hold and that became null or lost a character. `invalid_signals` are the signals of consent that could not be
    read, `ignored_fields` other fields that are not read, each with the reason; both are absent without any.
    """

    message_id: str | None
    status: Literal["accepted", "duplicate", "rejected", "suppressed", "unresolved"]
    reason: str | None = None
    profile_id: str | None = None
    created: bool = False
    merged: list[str] = []
    demoted: list[dict[str, str]] = []
    ignored_traits: list[str] = []
    hint: str | None = None
    ignored_timestamp: str | None = None
    mended_values: int = 0
    invalid_signals: list[str] | UnsetType = UNSET
    ignored_fields: list[dict[str, str]] | UnsetType = UNSET
