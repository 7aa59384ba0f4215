"""The wire shapes of purposes and destinations, and how values become them."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from app.schemas.fields import PublicProfileId, Time, time_or_null
from identity.operations.destinations.destination_status import DestinationStatus, PushState
from identity.operations.destinations.explain_missing_trait import MissingTrait
from identity.operations.destinations.manage_destinations import DestinationSecrets
from identity.planning.consent.permission import Verdict
from identity.planning.consent.purposes import Purposes
from identity.planning.destinations.gap_explanation import GateResult
from identity.values.ids import public, public_profile

Answer = Literal["deny", "allow"]
_NOTHING_LISTED = (
    "The destination lists no trait and no identifier type, so it sees nothing of anybody;"
    ' name them in traits and identifiers, or send ["*"] for all.'
)
PurposeClass = Literal["ads", "analytics", "personalisation", "functional", "sale_share", "sensitive", "necessary"]


class PurposeDocument(Struct, rename={"class_": "class"}, forbid_unknown_fields=True):
    """A use of data; a grant lasts `ttl_days`, or for ever where that is null."""

    id: Annotated[str, Meta(min_length=1, max_length=64, examples=["Marketing"])]
    class_: PurposeClass
    ttl_days: Annotated[int, Meta(ge=1, le=36_500)] | None = None


class PurposesDocument(Struct, forbid_unknown_fields=True):
    """The purposes of a space, whole, and what holds where nobody decided, by region (`DE`, `US-CA`) and class.

    `override_opt_out`: a later grant of a purpose itself lifts an opt-out (GPC, GPP, US Privacy) of its class.
    """

    purposes: list[PurposeDocument]
    unset: Answer = "deny"
    regions: dict[str, Answer | dict[str, Answer]] = {}
    override_opt_out: bool = False


class PurposesInForce(PurposesDocument, forbid_unknown_fields=False):
    """The purposes of a space, with the version in force."""

    version: int = 0


def purposes_in_force(purposes: Purposes) -> PurposesInForce:
    """The document in force as the API answers it."""
    return msgspec.convert({**purposes.document(), "version": purposes.version}, PurposesInForce)


class PurposesVersion(Struct, omit_defaults=True):
    """The version that is in force now.

    `destinations_without_purpose` are the destinations that need a purpose which the space no longer has: such a
    destination sees nobody until its document changes.
    """

    version: int
    destinations_without_purpose: list[str] = []


class DestinationDocument(Struct, forbid_unknown_fields=True):
    """The purposes, traits and identifier types of a destination; all purposes have to be granted; `*` means all.

    `without_consent` with an empty list of purposes: data goes to the destination without consent. The ledger records
    this.
    """

    purposes: Annotated[list[str], Meta(examples=[["Marketing"]])]
    without_consent: bool = False
    traits: Annotated[list[str], Meta(examples=[["email", "plan"]])] = []
    identifiers: Annotated[list[str], Meta(examples=[["user_id"]])] = []
    callback_url: str | None = None


class DestinationWarning(Struct):
    """What an administrator probably does not mean, in a document that is valid."""

    code: Literal["nothing_listed"]
    detail: str


class DestinationPut(Struct, omit_defaults=True):
    """A destination; `secret` is shown once, for a new one, `callback_secret` once, for a new callback.

    `warnings` has an entry for a destination that sees nothing of anybody.
    """

    destination_id: str
    version: int
    secret: str | None = None
    callback_secret: str | None = None
    warnings: list[DestinationWarning] = []


class DestinationSecret(Struct, omit_defaults=True):
    """A new secret beside the one before it; older ones have ended."""

    destination_id: str
    secret: str
    callback_secret: str | None = None


def destination_put(value: DestinationSecrets) -> DestinationPut:
    """A destination that was put in force."""
    return DestinationPut(
        destination_id=public("dst", value.id),
        version=value.version,
        secret=value.secret,
        callback_secret=value.callback_secret,
        warnings=[DestinationWarning("nothing_listed", _NOTHING_LISTED)] if value.lists_nothing else [],
    )


def destination_secret(value: DestinationSecrets) -> DestinationSecret:
    """The secrets of a rotation."""
    return DestinationSecret(public("dst", value.id), value.secret or "", value.callback_secret)


class Destination(Struct):
    """A destination and its progress. `push` is the state of sending to its callback.

    `behind_since` is the time of the oldest change not acknowledged about a person disclosed before;
    `overdue` after seven days. `paused`: the database was restored, and nobody resumed the destination since.
    """

    destination_id: str
    name: str
    version: int
    purposes: list[str]
    without_consent: bool
    traits: list[str]
    identifiers: list[str]
    callback_url: str | None
    acknowledged_at: Time | None
    pushed_at: Time | None
    push: PushState
    erasures_waiting: int
    behind_since: Time | None
    overdue: bool
    paused: bool


class DestinationList(Struct):
    """The destinations of a space, by name."""

    destinations: list[Destination]


def destination(value: DestinationStatus) -> Destination:
    """A destination as the API answers it."""
    return Destination(
        destination_id=public("dst", value.id),
        name=value.name,
        version=value.version,
        purposes=list(value.entitled.purposes),
        without_consent=value.entitled.without_consent,
        traits=list(value.entitled.traits),
        identifiers=list(value.entitled.identifiers),
        callback_url=value.entitled.callback_url,
        acknowledged_at=time_or_null(value.acknowledged_at),
        pushed_at=time_or_null(value.pushed_at),
        push=value.push,
        erasures_waiting=value.erasures_waiting,
        behind_since=time_or_null(value.behind_since),
        overdue=value.overdue,
        paused=value.paused,
    )


class PurposeGranted(Struct):
    """Whether a purpose is granted at the origin of a trait, the reason, and until when."""

    granted: bool
    reason: str
    until: Time | None


class PassedGate(Struct):
    """One gate; `purposes` is filled at the gate that checks them."""

    gate: str
    result: Literal["pass", "fail", "unknown"]
    reason: str
    detail: str
    purposes: dict[str, PurposeGranted]


class GapExplained(Struct):
    """The gates between a trait and a destination, in order; `stopped_at` is the first that did not pass."""

    destination_id: str
    trait: str
    profile_id: PublicProfileId | None
    stopped_at: str | None
    gates: list[PassedGate]


def gap_explained(value: MissingTrait) -> GapExplained:
    """An explanation as the API answers it."""
    return GapExplained(
        destination_id=public("dst", value.destination),
        trait=value.trait,
        profile_id=None if value.profile is None else public_profile(value.profile),
        stopped_at=value.stopped_at,
        gates=[_passed_gate(each) for each in value.gates],
    )


def _passed_gate(gate: GateResult) -> PassedGate:
    return PassedGate(
        gate=gate.gate,
        result=gate.result,
        reason=gate.reason,
        detail=gate.detail,
        purposes={name: _purpose_granted(each) for name, each in gate.purposes.items() if name},
    )


def _purpose_granted(verdict: Verdict) -> PurposeGranted:
    return PurposeGranted(verdict.granted, verdict.reason, time_or_null(verdict.until))
