"""The requirements on a call, and the codes and messages of the calls that are rejected.

`extract` reads calls of every age, so a rule that came later stands here: ingest asks for it, a rebuild does not.
"""

from collections.abc import Mapping
from typing import Any, Final

from identity.planning.resolution.alias_previous_id import misspelt_previous_id
from identity.planning.resolution.event_time import CLOCK_ERROR
from identity.values.calls import KINDS, Call
from identity.values.errors import BadCall
from identity.values.field_names import MisspeltField, misspelt_fields
from identity.values.plain_text import shown
from identity.values.stamps import Micros
from identity.values.timestamps import parse_timestamp

TOO_MANY_TRAITS: Final = 300
MOST_PROPERTIES: Final = 10_000
TOO_MANY_IDENTIFIERS: Final = 1_000
LONGEST_MESSAGE_ID: Final = 100
LONGEST_GROUP_ID: Final = 500
CONSENT_EVENT: Final = "Segment Consent Preference Updated"
FUTURE_TIMESTAMP: Final = "future_timestamp"
FIELD_NOT_OBJECT: Final = "field_not_object"
MISSPELT_FIELD: Final = "misspelt_field"
FIELD_NOT_BOOLEAN: Final = "field_not_boolean"
TYPE_OF_PATH: Final = "type_of_path"
FIELD_OF_OTHER_TYPE: Final = "field_of_other_type"
FIELD_REASONS: Final = frozenset(
    {
        FUTURE_TIMESTAMP,
        FIELD_NOT_OBJECT,
        FIELD_NOT_BOOLEAN,
        MISSPELT_FIELD,
        TYPE_OF_PATH,
        FIELD_OF_OTHER_TYPE,
    }
)
"""The reasons of a field that is not read, in a call that is taken."""

REJECTIONS: Final = {
    "not_an_object": "A call must be a JSON object.",
    "invalid_type": f"A call needs a type: {', '.join(KINDS)}.",
    "batch_as_call": "The body of this path is one call, and not a batch.",
    "context_not_object": "context must be an object.",
    "traits_not_object": "traits must be an object.",
    "too_many_traits": f"A call may carry at most {TOO_MANY_TRAITS - 1} traits.",
    "too_many_properties": f"A call may carry at most {MOST_PROPERTIES} properties.",
    "too_many_identifiers": f"A call may carry at most {TOO_MANY_IDENTIFIERS - 1} identifiers.",
    "bad_message_id": "messageId must be text without control characters, or a number.",
    "message_id_too_long": f"messageId may have at most {LONGEST_MESSAGE_ID} characters.",
    "missing_group_id": "A group call needs a usable groupId.",
    "group_id_too_long": f"groupId may have at most {LONGEST_GROUP_ID} characters.",
    "missing_event": "A track call needs an event: its name, as text that is not empty.",
    "invalid_timestamp": "timestamp, originalTimestamp or receivedAt is no time; write 2026-01-31T12:00:00Z.",
    "future_timestamp": "timestamp, originalTimestamp or receivedAt is later than now; send the time of the event.",
    "missing_previous_id": "An alias call needs previousId: the id that userId takes the place of.",
    "missing_user_id": "An alias call needs userId: the id that previousId is linked to.",
    "missing_consent_preferences": "context.consent.categoryPreferences object is required",
}

_TIMES: Final = ("timestamp", "originalTimestamp", "receivedAt")
_NOT_IDS: Final = frozenset({*_TIMES, "sentAt", "messageId", "event", "type", "properties"})
_MISSING_IDS: Final = frozenset({"missing_previous_id", "missing_user_id", "missing_group_id"})


def rejection(code: str) -> BadCall:
    """The error for a call that is rejected, with a key of REJECTIONS as its `code`."""
    error = BadCall(REJECTIONS[code])
    error.code = code
    return error


def rejection_hint(code: str, body: Mapping[str, Any]) -> str | None:
    """What to change in a call that is rejected because an id is missing: the right spelling of a field, if one is."""
    if code == "missing_previous_id" and (name := misspelt_previous_id(body)) is not None:
        return f"{shown(name)} is not read; send previousId."
    if code == "context_not_object" and (body.get("context") in (None, []) or isinstance(body["context"], dict)):
        return "The context beside the batch is no object."
    if code == "batch_as_call":
        return 'Send {"batch": [...]} to /v1/batch, with all calls in one list.'
    if code == "invalid_timestamp":
        return misspelt_time(body)
    return misspelt_field(body) if code in _MISSING_IDS else None


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


def require_event(call: Call) -> None:
    """Reject a track call without the name of its event, as Segment's libraries do; a stored one is read on."""
    if call.kind == "track":
        event = call.body.get("event")
        if not isinstance(event, str) or not event.strip():
            raise rejection("missing_event")


def require_alias_ids(call: Call) -> None:
    """Reject an alias call that names somebody and links nothing, since one of its two ids is missing."""
    get = call.body.get
    if call.kind != "alias" or not (call.identifiers or call.demoted):
        return
    if get("userId") is None:
        raise rejection("missing_user_id")
    if get("previousId") is None and (misspelt_previous_id(call.body) is not None or get("anonymousId") is None):
        raise rejection("missing_previous_id")


def missing_identifier_hint(body: Mapping[str, Any]) -> str:
    """What to change in a call without identifiers: the right spelling of a field, or the fields to send."""
    return misspelt_field(body) or "Send userId or anonymousId."


def misspelt_field(body: Mapping[str, Any]) -> str | None:
    """The right name of the first misspelt field that may hold an identifier; None where none is."""
    context = body.get("context")
    found = misspelt_fields(body, context if isinstance(context, dict) else None)
    return next((_advice(each) for each in found if each.right not in _NOT_IDS), None)


def misspelt_time(body: Mapping[str, Any]) -> str | None:
    """The right name of the misspelt time of a call that states its time in no other field; None where none is."""
    if any(body.get(name) is not None for name in _TIMES):
        return None
    return next((_advice(each) for each in misspelt_fields(body, None) if each.right in _TIMES), None)


def _advice(field: MisspeltField) -> str:
    return f"{shown(field.path)} is not read; send {field.right}."
