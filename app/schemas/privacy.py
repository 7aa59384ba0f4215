"""The wire shapes of erasures and suppressions, and how values become them."""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from app.schemas.exports.public_joins import JoinsByPublicKeys, Policy, public_joins
from app.schemas.fields import Time, TypeHint, time_or_null
from identity.operations.privacy.manage_suppressions import SuppressionChange, SuppressionCounts
from identity.planning.privacy import request_status
from identity.planning.privacy.privacy_requests import DestroyedCounts, ErasureNotice, ErasureResult, PrivacyRequest
from identity.planning.privacy.receipt import Receipt
from identity.planning.resolution.event_time import format_time
from identity.values.ids import public
from identity.values.near_types import type_hint
from identity.values.stamps import Micros
from identity.vault.signing import PublicKey

__all__ = ["Receipt"]

Suppressed = Annotated[
    bool,
    Meta(
        description="Whether calls that name the identifier are dropped now, by this request or by another one: an"
        " erasure with `suppress: false` lifts no suppression."
    ),
]
ErasureId = Annotated[str, Meta(examples=["ers_0197c1a2b3c47d5e8f90a1b2c3d4e5f6"])]
Reason = Annotated[str, Meta(min_length=1, max_length=2_000)]
State = Literal["received", "on_hold", "finished", "duplicate", "cancelled"]


class Erase(Struct, forbid_unknown_fields=True):
    """People to erase, by identifiers written `type:value`, 1 to 5,000; with `suppress` for good."""

    identifiers: list[str]
    suppress: bool = True
    regulation: Literal["gdpr", "ccpa", "none"] = "none"
    public_joins: Policy = "include"


class Backups(Struct):
    """Whether some backup can still reveal the person, and the time from which none can."""

    state: Literal["pending", "safe"]
    safe_at: Time | None


class Notified(Struct):
    """How far the erasure is at a destination to which the person was disclosed."""

    destination_id: str
    name: str
    status: str
    at: Time


class Erasure(Struct):
    """An erasure with three separate results: here, at destinations, in backups.

    `found` is false where nobody had the identifier; null until the erasure looked for it.
    """

    erasure_id: ErasureId
    request_id: str
    identifier_type: str
    found: bool | None
    hint: TypeHint
    suppressed: Suppressed
    regulation: str
    internal: State
    internal_at: Time | None
    destinations: list[Notified]
    backups: Backups
    overall: str
    received_at: Time
    due_at: Time | None
    extended_at: Time | None
    clock: Literal["on_time", "at_risk", "overdue"]
    duplicate_of: ErasureId | None
    destroyed: DestroyedCounts | None
    subject_commitment: str


class ErasureMade(Struct):
    """A new erasure, with its identifier and the salt of its commitment.

    SHA-256(salt, identifier) is the subject_commitment of the receipt; the salt is not stored. `found` is false where
    nobody had the identifier.
    """

    erasure_id: ErasureId
    identifier: str
    found: bool | None
    hint: TypeHint
    suppressed: Suppressed
    internal: State
    due_at: Time | None
    salt: str
    subject_commitment: str


class ErasuresMade(Struct):
    """The erasures of a request, in its order. The data is unreadable and the suppression is in force.

    An identifier that the request names again, in any spelling, has one erasure.

    `found` is false where nobody had one of the identifiers; each erasure says which. `public_joins` is null where
    server-side keys or identity tokens have joined all identifiers of the people.
    """

    request_id: str
    found: bool | None
    erasures: list[ErasureMade]
    public_joins: JoinsByPublicKeys | None


class Erasures(Struct):
    """A page of erasures, the newest first."""

    erasures: list[Erasure]
    next_cursor: str | None


class PublicKeys(Struct):
    """Every key that ever signed a receipt of this deployment."""

    keys: list[PublicKey]


class Extend(Struct, forbid_unknown_fields=True):
    """The reason for the one extension that the law allows."""

    reason: Reason


class Identifiers(Struct, forbid_unknown_fields=True):
    """Identifiers written `type:value`, 1 to 5,000."""

    identifiers: list[str]


class SuppressionMade(Struct):
    """How many identifiers were suppressed. `unknown` are those that nobody has; they are suppressed as well."""

    suppressed: int
    at: Time
    found: bool
    unknown: list[str]
    hint: TypeHint


class Lifted(Struct):
    """How many identifiers are no longer suppressed. `unknown` are those that were not suppressed before."""

    lifted: int
    at: Time
    found: bool
    unknown: list[str]


class Suppressions(Struct):
    """How many identifiers are suppressed and for how long; no answer contains an identifier."""

    total: int
    oldest_days: int | None
    newest_days: int | None
    by_age: dict[str, int]
    erased_recently: int


def erasure(result: ErasureResult, now: Micros) -> Erasure:
    """An erasure as the API answers it at a time (microseconds)."""
    return Erasure(
        erasure_id=public("ers", result.id),
        request_id=public("req", result.request_id),
        identifier_type=result.type,
        found=result.found,
        hint=type_hint([result.type]) if result.found is False else None,
        suppressed=result.suppressed,
        regulation=result.regulation.label,
        internal=_state(result),
        internal_at=time_or_null(result.internal_at),
        destinations=[_notified(notice) for notice in result.notices],
        backups=backups(result, now),
        overall=request_status.overall_status(result, now),
        received_at=format_time(result.received_at),
        due_at=time_or_null(result.due_at),
        extended_at=time_or_null(result.extended_at),
        clock=request_status.timeliness(result, now).value,
        duplicate_of=None if result.duplicate_of is None else public("ers", result.duplicate_of),
        destroyed=result.counts,
        subject_commitment=result.commitment.hex(),
    )


def erasures_page(results: Sequence[ErasureResult], cursor: str | None, now: Micros) -> Erasures:
    """A page of erasures."""
    return Erasures([erasure(each, now) for each in results], cursor)


def erasures_made(request: PrivacyRequest) -> ErasuresMade:
    """A request that was carried out."""
    made = [
        ErasureMade(
            erasure_id=public("ers", each.id),
            identifier=each.identifier or "",
            found=each.found,
            hint=type_hint([each.identifier or ""]) if each.found is False else None,
            suppressed=each.suppressed,
            internal=_state(each),
            due_at=time_or_null(each.due_at),
            salt=each.salt or "",
            subject_commitment=each.commitment.hex(),
        )
        for each in request.erasures
    ]
    return ErasuresMade(
        request_id=public("req", request.id),
        found=request_status.all_found(request),
        erasures=made,
        public_joins=public_joins(request.public_joins),
    )


def backups(result: ErasureResult, now: Micros) -> Backups:
    """Whether a backup can still be opened."""
    safety = request_status.backup_safety(result, now)
    return Backups("safe" if safety.safe else "pending", time_or_null(safety.safe_at))


def suppressed(value: SuppressionChange) -> SuppressionMade:
    """Identifiers that were suppressed."""
    return SuppressionMade(
        suppressed=value.count,
        at=format_time(value.at),
        found=not value.unknown,
        unknown=list(value.unknown),
        hint=type_hint(value.unknown),
    )


def lifted(value: SuppressionChange) -> Lifted:
    """Identifiers whose suppression was lifted."""
    return Lifted(value.count, format_time(value.at), not value.unknown, list(value.unknown))


def suppressions(value: SuppressionCounts) -> Suppressions:
    """The counts of the suppression list."""
    return Suppressions(
        total=value.total,
        oldest_days=value.oldest_days,
        newest_days=value.newest_days,
        by_age={f"under_{days}_days": count for days, count in value.under_days.items()},
        erased_recently=value.erased_recently,
    )


def _state(result: ErasureResult) -> State:
    state: State = result.state.label  # type: ignore[assignment]  # the labels are the literals of State
    return state


def _notified(notice: ErasureNotice) -> Notified:
    return Notified(
        destination_id=public("dst", notice.destination),
        name=notice.name,
        status=notice.state.label,
        at=format_time(notice.at),
    )
