"""The requirements on a call, and the codes and messages of the calls that are rejected.

`extract` reads calls of every age, so a rule that came later stands here: ingest asks for it, a rebuild does not.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from identity.planning.resolution.alias_previous_id import misspelt_previous_id, states_other_type
from identity.planning.resolution.event_time import CLOCK_ERROR
from identity.values.calls import KINDS, Call, Kind, Source
from identity.values.errors import BadCall
from identity.values.fields.beside_batch import misspelt_batch
from identity.values.fields.call_types import meant_type, other_request
from identity.values.fields.field_names import misspelt_fields, other_identifier, other_word
from identity.values.fields.ignored_fields import FUTURE_TIMESTAMP
from identity.values.fields.names import MisspeltField, bare
from identity.values.plain_text import shown
from identity.values.stamps import Micros
from identity.values.timestamps import parse_timestamp, time_fault

TOO_MANY_TRAITS: Final = 300
MOST_PROPERTIES: Final = 10_000
TOO_MANY_IDENTIFIERS: Final = 1_000
MOST_OF_A_PUBLIC_KEY: Final = 20
LONGEST_MESSAGE_ID: Final = 100
LONGEST_GROUP_ID: Final = 500
CONSENT_EVENT: Final = "Segment Consent Preference Updated"

REJECTIONS: Final = {
    "not_an_object": "A call must be a JSON object.",
    "invalid_type": f"A call needs a type: {', '.join(KINDS)}.",
    "batch_as_call": "The body of this path is one call, and not a batch.",
    "context_not_object": "context must be an object.",
    "traits_not_object": "traits must be an object.",
    "too_many_traits": f"A call may carry at most {TOO_MANY_TRAITS - 1} traits.",
    "too_many_properties": f"A call may carry at most {MOST_PROPERTIES} properties.",
    "too_many_identifiers": f"A call may carry at most {TOO_MANY_IDENTIFIERS - 1} identifiers, of a public key "
    f"{MOST_OF_A_PUBLIC_KEY}.",
    "bad_message_id": "messageId must be text without control characters, or a number.",
    "message_id_too_long": f"messageId may have at most {LONGEST_MESSAGE_ID} characters.",
    "missing_group_id": "A group call needs a usable groupId.",
    "group_id_too_long": f"groupId may have at most {LONGEST_GROUP_ID} characters.",
    "missing_event": "A track call needs an event: its name, as text that is not empty.",
    "invalid_timestamp": "timestamp, originalTimestamp or receivedAt is no time; write 2026-01-31T12:00:00Z.",
    "future_timestamp": "timestamp, originalTimestamp or receivedAt is later than now; send the time of the event.",
    "missing_previous_id": "An alias call needs previousId: the id that userId takes the place of.",
    "bad_previous_id_type": "previousIdType must be user_id or anonymous_id.",
    "missing_user_id": "An alias call needs userId: the id that previousId is linked to.",
    "missing_consent_preferences": "context.consent.categoryPreferences object is required",
}

_TIMES: Final = ("timestamp", "originalTimestamp", "receivedAt")
_NOT_IDS: Final = frozenset({*_TIMES, "sentAt", "messageId", "event", "type", "properties", "previousIdType"})
_STATEMENTS: Final = ("context.consent", "context.gpc")


def rejection(code: str) -> BadCall:
    """The error for a call that is rejected, with a key of REJECTIONS as its `code`."""
    error = BadCall(REJECTIONS[code])
    error.code = code
    return error


def rejection_hint(code: str, body: Mapping[str, Any]) -> str | None:
    """What to change in a rejected call: the field that stands in the place of the missing one, if there is one."""
    hint = _HINTS.get(code)
    return None if hint is None else hint(body)


def receipt_time(stated: object, now: Micros) -> Micros:
    """The time at which an imported call says it was received, never later than now. BadCall."""
    time = parse_timestamp(stated)
    if time is None:
        raise rejection("invalid_timestamp")
    if time > now + CLOCK_ERROR:
        raise rejection(FUTURE_TIMESTAMP)
    return min(time, now)


def require_time(call: Call) -> None:
    """Reject a call whose timestamp is no time: an import that counts as happening now would overwrite what is newer.

    The same holds for a timestamp in the future, and for one under a misspelt name. A call that states no time at all
    happens now. For a call that states when it was received (`receipt_time`), that time bounds the error.
    """
    if call.guessed_time or misspelt_time(call.body) is not None:
        raise rejection("invalid_timestamp")
    if FUTURE_TIMESTAMP in call.ignored_fields.values():
        raise rejection(FUTURE_TIMESTAMP)


def is_batch(body: object) -> bool:
    """Whether the body of a call is a batch: its calls would be lost if it counted as one call."""
    if not isinstance(body, dict) or "batch" not in body:
        return False
    batch = body["batch"]
    return isinstance(batch, list) and all(isinstance(each, dict) for each in batch)


def require_one_call(body: object) -> None:
    """Reject a body that is a batch."""
    if is_batch(body):
        raise rejection("batch_as_call")


def require_few_entries(body: Mapping[str, Any], source: Source) -> None:
    """Reject a call of a public key with too many external ids, before any of them is read. BadCall."""
    context = body.get("context")
    entries = context.get("externalIds") if isinstance(context, dict) else None
    if not source.server and isinstance(entries, list) and len(entries) > MOST_OF_A_PUBLIC_KEY:
        raise rejection("too_many_identifiers")


def require_few_identifiers(call: Call) -> None:
    """Reject a call of a public key that claims too many identifiers, kept and demoted. BadCall."""
    if not call.source.server and len(call.identifiers) + len(call.demoted) > MOST_OF_A_PUBLIC_KEY:
        raise rejection("too_many_identifiers")


def require_no_batch(call: Call) -> None:
    """Reject a call that holds a batch under a misspelt name (`Batch`)."""
    if call.ignored_fields and misspelt_batch(call.body) is not None:
        raise rejection("batch_as_call")


def require_event(call: Call) -> None:
    """Reject a track call without the name of its event, as Segment's libraries do; a stored one is read on."""
    if call.kind == "track":
        event = call.body.get("event")
        if not isinstance(event, str) or not event.strip():
            raise rejection("missing_event")


def require_alias_ids(call: Call) -> None:
    """Reject an alias call that names somebody and links nothing, since one of its two ids is missing.

    So is one that states another type of its previous id than the two: it would link what it does not mean.
    """
    get = call.body.get
    if call.kind != "alias" or not (call.identifiers or call.demoted):
        return
    if get("userId") is None:
        raise rejection("missing_user_id")
    if get("previousId") is None and (misspelt_previous_id(call.body) is not None or get("anonymousId") is None):
        raise rejection("missing_previous_id")
    if get("previousId") is not None and states_other_type(call.body):
        raise rejection("bad_previous_id_type")


def missing_identifier_hint(body: Mapping[str, Any], kind: Kind) -> str:
    """What to change in a call without identifiers: the right spelling of a field, or the fields to send."""
    if kind == "alias":
        found = _new_id_hint(body)
        if found is not None:
            return found
        if body.get("previousId") is not None:
            return "userId is missing: an alias links previousId to it; send both."
    found = misspelt_field(body)
    if found is None and (other := other_identifier(body)) is not None:
        found = _send(*other)
    return found or "Send userId or anonymousId."


def misspelt_field(body: Mapping[str, Any], *wanted: str) -> str | None:
    """The right name of the first misspelt field that may hold an identifier, or one of these; None where none is."""
    context = body.get("context")
    found = misspelt_fields(body, context if isinstance(context, dict) else None)
    return next((_advice(each) for each in found if _is_wanted(each.right, wanted)), None)


def _is_wanted(right: str, wanted: Collection[str]) -> bool:
    return right in wanted if wanted else right not in _NOT_IDS and not right.startswith(_STATEMENTS)


def _new_id_hint(body: Mapping[str, Any]) -> str | None:
    if body.get("userId") is not None:
        return None
    return misspelt_field(body, "userId") or _send(other_word(body, "userId of an alias"), "userId")


def _previous_id_hint(body: Mapping[str, Any]) -> str | None:
    name = misspelt_previous_id(body)
    return misspelt_field(body, "previousId", "anonymousId") if name is None else _send(name, "previousId")


def _previous_type_hint(_body: Mapping[str, Any]) -> str:
    return "Send anonymous_id or user_id, or no previousIdType: a known user id counts, then a known anonymous id."


def _group_id_hint(body: Mapping[str, Any]) -> str | None:
    if body.get("groupId") is not None:
        return None
    misspelt = misspelt_field(body, "groupId") or _send(other_word(body, "groupId"), "groupId")
    if misspelt is not None:
        return misspelt
    inner = ((place, body.get(place)) for place in ("context", "traits", "properties"))
    found = (other_word(members, "groupId", f"{place}.") for place, members in inner if isinstance(members, dict))
    return _send(next(filter(None, found), None), "groupId")


def _time_hint(body: Mapping[str, Any]) -> str | None:
    misspelt = misspelt_time(body)
    if misspelt is not None:
        return misspelt
    unread = ((name, body[name]) for name in _TIMES if body.get(name) is not None)
    return next((f"{name} {time_fault(value)}." for name, value in unread if parse_timestamp(value) is None), None)


def _event_hint(body: Mapping[str, Any]) -> str | None:
    if body.get("event") not in (None, ""):
        return None
    properties = body.get("properties")
    name = other_word(body, "event")
    if name is None and isinstance(properties, dict):
        name = other_word(properties, "event in properties", "properties.")
    return misspelt_field(body, "event") if name is None else _send(name, "event")


def _context_hint(body: Mapping[str, Any]) -> str | None:
    own = body.get("context")
    return "The context beside the batch is no object." if own in (None, []) or isinstance(own, dict) else None


def _batch_hint(_body: Mapping[str, Any]) -> str:
    return 'Send {"batch": [...]} to /v1/batch, with all calls in one list.'


def _type_hint(body: Mapping[str, Any]) -> str | None:
    """The type that is meant, by its other spelling, by its name as a field, or by what the call holds."""
    stated = body.get("type")
    if stated not in (None, ""):
        if isinstance(stated, str) and (other := other_request(stated)) is not None:
            return other
        meant = meant_type(stated) if isinstance(stated, str) else None
    else:
        name = other_word(body, "type")
        if name is not None:
            return _send(name, "type")
        meant = next((bare(each) for each in body if bare(each) in KINDS), None)
        if meant is None and isinstance(body.get("event"), str):
            meant = "track"
    return None if meant is None else f'Send "type": "{meant}".'


def misspelt_time(body: Mapping[str, Any]) -> str | None:
    """The right name of the misspelt time of a call that states its time in no other field; None where none is."""
    if any(body.get(name) is not None for name in _TIMES):
        return None
    return next((_advice(each) for each in misspelt_fields(body, None) if each.right in _TIMES), None)


def _advice(field: MisspeltField) -> str:
    return f"{shown(field.path)} is not read; send {field.right}."


def _send(name: str | None, right: str) -> str | None:
    return None if name is None else f"{shown(name)} is not read; send {right}."


_HINTS: Final[Mapping[str, Callable[[Mapping[str, Any]], str | None]]] = {
    "missing_previous_id": _previous_id_hint,
    "bad_previous_id_type": _previous_type_hint,
    "missing_user_id": _new_id_hint,
    "missing_group_id": _group_id_hint,
    "missing_event": _event_hint,
    "invalid_type": _type_hint,
    "invalid_timestamp": _time_hint,
    "context_not_object": _context_hint,
    "batch_as_call": _batch_hint,
}
