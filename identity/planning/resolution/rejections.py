"""Makes the stored rejections of calls that are stored in part or not at all, so that no loss is silent.

A rejection holds codes, counts and names of traits, never a body, the value of an identifier or the id of a
group. The rejection of a call that names a suppressed or erased person holds no message id. The demoted identifiers of
a stored call are in its evidence and not here.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from identity.planning.resolution.call_requirements import missing_identifier_hint
from identity.values.calls import KINDS, Call, DemotedIdentifier, Identifier, Kind, Outcome
from identity.values.enums import HIDDEN, UNUSABLE, StoredKind, StoredStatus, UnlinkedReason
from identity.values.fields.ignored_fields import PROTECTED_TRAIT, UNLISTED
from identity.values.stamps import Micros

NO_IDENTIFIER = "no_identifier"
NO_USABLE_IDENTIFIER = "no_usable_identifier"
TRAIT_LIMIT = "trait_limit"
IGNORED_TIMESTAMP = "ignored_timestamp"
MENDED_VALUE = "mended_value"
INVALID_SIGNAL = "invalid_signal"
LOST_BODIES: Final = frozenset(
    {
        "invalid_json",
        "empty_body",
        "batch_not_a_list",
        "batch_too_long",
        "body_too_large",
        "inflates_too_much",
        "invalid_gzip",
        "unsupported_encoding",
    }
)
"""The reasons for which no call of a body is read; a client does not repeat such a request."""
SUPPRESSED = "suppressed"
# Identifiers demoted for these reasons have no key, or must leave none, so no evidence holds them.
_UNKEYED = {
    UnlinkedReason.BAD_TYPE,
    UnlinkedReason.GROUP_TYPE,
    UnlinkedReason.TOO_MANY_TYPES,
    UnlinkedReason.TYPE_NEEDS_SERVER_KEY,
}
NOT_IN_EVIDENCE = UNUSABLE | HIDDEN | _UNKEYED
_USER_ID: Final = "user_id:"
MOST_NAMES = 50
LONGEST_NAME = 100
MOST_PEOPLE = 50


class StoredRejection(msgspec.Struct, array_like=True, frozen=True):
    """The refused part of one item of a request; the order of the fields is their stored order.

    `unlinked` counts identifiers by reason; `ignored` are the first names of traits without room or without proof, and
    `ignored_count` is the number of such entries, a membership included. `received` is in
    microseconds; `source` is the number of an API key. `ignored_timestamp` names the fields whose timestamp is no
    time, `mended` counts values that no JSON can hold and that became null or lost a character. `invalid_signals` are
    the names of signals of consent that could not be read, `ignored_fields` the fields that are not read, each with the
    reason. `people` are the hashes of the identifiers of the call in the suppression list: an erasure of one of them
    hides the rejection.
    """

    status: StoredStatus
    reason: str | None
    kind: StoredKind | None
    message_id: str | None
    unlinked: dict[str, int]
    ignored: list[str]
    ignored_count: int
    source: int
    received: Micros
    ignored_timestamp: str | None = None
    mended: int = 0
    hint: str | None = None
    invalid_signals: list[str] = []
    ignored_fields: dict[str, str] = {}
    people: list[bytes] = []


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[StoredRejection]).decode


def unresolved(call: Call, demoted: Sequence[DemotedIdentifier]) -> Outcome:
    """The outcome of a call that names nobody: it claims no identifier, or none of those it claims is usable."""
    if demoted or call.identifiers:
        reason, hint = NO_USABLE_IDENTIFIER, None
    else:
        reason, hint = NO_IDENTIFIER, missing_identifier_hint(call.body, call.kind)
    shown = [each.shown for each in demoted]
    return Outcome(message_id=call.message_id, status="unresolved", reason=reason, demoted=shown, hint=hint)


def ignored_traits(waiting: Sequence[str]) -> list[dict[str, str]]:
    """The entries of `ignored_fields` for protected traits whose new values wait for proof."""
    return [{"field": f"traits.{name}", "reason": PROTECTED_TRAIT} for name in waiting]


def of_item(item: object, outcome: Outcome, *, kind: Kind | None, source: int, received: Micros) -> StoredRejection:
    """The rejection of an item that extraction refuses; `kind` is the kind in the path."""
    own = item.get("type") if kind is None and isinstance(item, dict) else kind
    return StoredRejection(
        status=StoredStatus.REJECTED,
        reason=outcome.reason,
        kind=StoredKind[own.upper()] if own in KINDS else None,
        message_id=_storable(outcome.message_id),
        unlinked={},
        ignored=[],
        ignored_count=0,
        source=source,
        received=received,
        mended=outcome.mended_values,
        hint=outcome.hint,
    )


def of_call(
    call: Call, outcome: Outcome, received: Micros, hash_of: Callable[[Identifier], bytes] | None = None
) -> StoredRejection | None:
    """The refused part of a call; None where nothing is refused or evidence holds it.

    `received` is the time of the request, the only time kept of a suppressed or erased person; `hash_of` gives the hash
    of an identifier in the suppression list; without it no erasure hides the rejection.
    """
    accepted = outcome.status == "accepted"
    if outcome.status == "duplicate" or (call.kind in ("leave", "confirm") and not accepted):
        return None
    unlinked = Counter(each["reason"] for each in outcome.demoted)
    fields = {each["field"]: each["reason"] for each in outcome.ignored_fields or () if each["reason"] not in UNLISTED}
    if accepted:
        unlinked = Counter({reason: n for reason, n in unlinked.items() if reason in NOT_IN_EVIDENCE})
        # SDKs send an empty id on every call of a person who is not signed in, beside the anonymous one.
        if unlinked[UnlinkedReason.EMPTY]:
            unlinked[UnlinkedReason.EMPTY] -= sum(
                each["reason"] == UnlinkedReason.EMPTY and each["identifier"].startswith(_USER_ID)
                for each in outcome.demoted
            )
            unlinked = +unlinked
        if not unlinked and _partial_reason(outcome, fields) is None:
            return None
    hidden = outcome.status == SUPPRESSED or not HIDDEN.isdisjoint(unlinked)
    return StoredRejection(
        status=StoredStatus[outcome.status.upper()],
        reason=_partial_reason(outcome, fields) if accepted else outcome.reason,
        kind=StoredKind[call.kind.upper()],
        message_id=None if hidden else _storable(outcome.message_id),
        unlinked=dict(unlinked),
        ignored=_names(call, outcome.ignored_traits),
        ignored_count=len(outcome.ignored_traits),
        source=call.source.key_number,
        received=received if hidden else call.received,
        ignored_timestamp=outcome.ignored_timestamp,
        mended=outcome.mended_values,
        hint=outcome.hint,
        invalid_signals=outcome.invalid_signals or [],
        ignored_fields=fields,
        people=[] if hidden or hash_of is None else [hash_of(each) for each in call.identifiers[:MOST_PEOPLE]],
    )


def _partial_reason(outcome: Outcome, fields: Mapping[str, str]) -> str | None:
    """The first loss of a call that is stored in part, beside its identifiers."""
    if outcome.ignored_traits:
        protected = sum(reason == PROTECTED_TRAIT for reason in fields.values())
        return TRAIT_LIMIT if len(outcome.ignored_traits) > protected else PROTECTED_TRAIT
    if outcome.ignored_timestamp is not None:
        return IGNORED_TIMESTAMP
    if outcome.mended_values:
        return MENDED_VALUE
    if outcome.invalid_signals:
        return INVALID_SIGNAL
    return next(iter(fields.values()), None)


def pack(rejections: Sequence[StoredRejection]) -> bytes:
    """The payload of one row."""
    return _encode(rejections)


def unpack(raw: bytes) -> list[StoredRejection]:
    """The inverse of `pack`."""
    return _decode(raw)


def _names(call: Call, ignored: Sequence[str]) -> list[str]:
    """The ignored names that the call itself gives; any other ignored entry is the id of a group."""
    if not ignored:
        return []
    given = {*(call.traits or ()), *(call.consent or ()), *(call.group_traits or ())}
    return [name[:LONGEST_NAME] for name in ignored if name in given][:MOST_NAMES]


def _storable(text: str | None) -> str | None:
    """The text with half surrogate pairs replaced, since UTF-8 cannot hold them."""
    return None if text is None else text.encode("utf-8", "replace").decode()
