"""From the body of a call to what it claims (docs/merging-rules.md §1): the one reading of a call.

Pure: the same body under the same rules gives the same call, now or in a rebuild, but for the
message id that a call without one is given. A body is either read whole or rejected with a
stable code; no body whatever raises anything else.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast
from uuid import uuid4

from identity.planning.consent.statements import statements
from identity.planning.resolution.alias_previous_id import previous_id, readings
from identity.planning.resolution.claimed_identifiers import ClaimedIdentifiers
from identity.planning.resolution.event_time import event_time, parse_time
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import KINDS, Call, Kind, Source
from identity.values.errors import BadCall
from identity.values.identifiers import ANONYMOUS_ID, EMAIL, PHONE, USER_ID, plain

TOO_MANY_TRAITS: Final = 300
MOST_PROPERTIES: Final = 10_000
TOO_MANY_IDENTIFIERS: Final = 1_000
LONGEST_MESSAGE_ID: Final = 100
LONGEST_GROUP_ID: Final = 500
CONSENT_EVENT: Final = "Segment Consent Preference Updated"

REJECTIONS: Final = {
    "not_an_object": "A call must be a JSON object.",
    "invalid_type": f"A call needs a type: {', '.join(KINDS)}.",
    "context_not_object": "context must be an object.",
    "traits_not_object": "traits must be an object.",
    "too_many_traits": f"A call may carry at most {TOO_MANY_TRAITS - 1} traits.",
    "too_many_properties": f"A call may carry at most {MOST_PROPERTIES} properties.",
    "too_many_identifiers": f"A call may carry at most {TOO_MANY_IDENTIFIERS - 1} identifiers.",
    "bad_message_id": "messageId must be text without control characters, or a number.",
    "message_id_too_long": f"messageId may have at most {LONGEST_MESSAGE_ID} characters.",
    "missing_group_id": "A group call needs a usable groupId.",
    "group_id_too_long": f"groupId may have at most {LONGEST_GROUP_ID} characters.",
    "missing_consent_preferences": "context.consent.categoryPreferences object is required",
}

# They belong to the delivery, and one of them is a key: neither is part of what happened.
_OF_THE_DELIVERY = ("writeKey", "_metadata")


def extract(  # noqa: C901, PLR0912 (one pass in document order; parts would each cost a call)
    body: object,
    *,
    kind: Kind | None,
    rules: Rules,
    received: int,
    sent_at: object,
    source: Source,
) -> Call:
    """What a call claims. Raises BadCall whose `code` is a key of REJECTIONS, and nothing else.

    `kind` None lets the body's `type` decide, as in a batch. `received` is in microseconds;
    `sent_at` is the envelope's `sentAt` as it arrived (None where it must not count). `writeKey`
    and `_metadata` are taken out of the body, which the call then holds.
    """
    if not isinstance(body, dict):
        raise _rejection("not_an_object")
    get = body.get
    if kind is None:
        kind = get("type")
        if kind not in KINDS:
            raise _rejection("invalid_type")
        kind = cast("Kind", kind)
    for name in _OF_THE_DELIVERY:
        if name in body:
            del body[name]
    message_id = _message_id(get("messageId"))
    context = _object(get("context"), "context_not_object")
    theirs = context.get("traits") if context else None
    if not isinstance(theirs, dict):
        theirs = None
    traits = _traits(kind, get("traits"), theirs) if kind in ("identify", "group") else None
    properties = get("properties")
    if not isinstance(properties, dict):
        properties = None
    elif len(properties) > MOST_PROPERTIES:
        raise _rejection("too_many_properties")

    claims = ClaimedIdentifiers(rules)
    user = claims.take(USER_ID, get("userId"))
    own = traits if kind == "identify" else None
    if own:
        claims.take(EMAIL, own.get("email"))
    if theirs:
        claims.take(EMAIL, theirs.get("email"))
    if properties and rules.promote_property_email:
        claims.take(EMAIL, properties.get("email"))
    if own:
        claims.take(PHONE, own.get("phone"))
    if theirs:
        claims.take(PHONE, theirs.get("phone"))
    if context:
        claims.external(context.get("externalIds"))
        claims.device(context.get("device"))
        claims.google_analytics(context.get("integrations"))
    anonymous = claims.take(ANONYMOUS_ID, get("anonymousId"))
    alias = None
    if kind == "alias":
        alias = previous_id(body, claims, user, anonymous, source)
    if len(claims) >= TOO_MANY_IDENTIFIERS:
        raise _rejection("too_many_identifiers")

    consent = _decisions(kind, body, context)
    if kind == "track" and get("event") == CONSENT_EVENT and not _has_preferences(context):
        raise _rejection("missing_consent_preferences")
    return Call(
        kind=kind,
        message_id=message_id,
        time=event_time(body, received, parse_time(sent_at)),
        received=received,
        source=source,
        body=body,
        identifiers=claims.kept,
        skipped=claims.skipped,
        traits=own,
        consent=consent,
        signals=statements(context, server=source.server, received=received),
        group=_group(get("groupId")) if kind in ("group", "leave") else None,
        group_traits=traits if kind == "group" else None,
        alias=alias,
        unlinked=readings(get("previousId"), rules) if kind == "alias" and alias is None else [],
    )


class CallContent(NamedTuple):
    """What a stored call says of its profile; it was accepted, so all of it is usable."""

    traits: Mapping[str, Any] | None
    consent: Mapping[str, bool] | None
    signals: Mapping[str, Any]
    group: str | None


def content(body: dict[str, Any], kind: Kind, *, server: bool, received: int) -> CallContent:
    """The traits, decisions, signals and group of a stored call, as `extract` reads them under any rules."""
    context = _object(body.get("context"), "context_not_object")
    theirs = context.get("traits") if context else None
    traits = _traits(kind, body.get("traits"), theirs if isinstance(theirs, dict) else None)
    return CallContent(
        traits if kind == "identify" else None,
        _decisions(kind, body, context),
        statements(context, server=server, received=received),
        _group(body.get("groupId")) if kind in ("group", "leave") else None,
    )


def _rejection(code: str) -> BadCall:
    error = BadCall(REJECTIONS[code])
    error.code = code
    return error


def _object(value: object, code: str) -> dict[str, Any] | None:
    """An object or nothing. An empty array is how PHP writes an empty object."""
    if value is None or isinstance(value, dict):
        return value
    if value == []:
        return None
    raise _rejection(code)


def _traits(kind: Kind, stated: object, theirs: dict[str, Any] | None) -> dict[str, Any] | None:
    """The traits that a call sets; RudderStack's SDKs put those of an identify into its context alone."""
    traits = theirs if stated is None and kind == "identify" else _object(stated, "traits_not_object")
    if traits is not None and len(traits) >= TOO_MANY_TRAITS:
        raise _rejection("too_many_traits")
    return traits


def _message_id(value: object) -> str:
    """The id of the message; blank counts as absent, and an absent one is made up."""
    if value is None:
        return _new_message_id()
    text = plain(value)
    if isinstance(value, str):
        if not value.strip():
            return _new_message_id()
        if len(value) > LONGEST_MESSAGE_ID:
            raise _rejection("message_id_too_long")
        if text is not None:
            # As it came: what is different to the sender is a different message.
            return value
    if text is None:
        raise _rejection("bad_message_id")
    if len(text) > LONGEST_MESSAGE_ID:
        raise _rejection("message_id_too_long")
    return text


def _new_message_id() -> str:
    return f"onefold-{uuid4().hex}"


def _has_preferences(context: dict[str, Any] | None) -> bool:
    consent = context.get("consent") if context else None
    return isinstance(consent, dict) and isinstance(consent.get("categoryPreferences"), dict)


def _decisions(kind: Kind, body: dict[str, Any], context: dict[str, Any] | None) -> dict[str, bool] | None:
    """The decisions of a call by category.

    Empty where it states that there are none; None where it states nothing that can be read,
    which must not be taken for an empty statement. What is recorded on somebody's behalf is no
    statement of all of them.
    """
    if kind == "consent":
        recorded = body.get("decisions")
        return dict(recorded) if isinstance(recorded, dict) else None
    consent = context.get("consent") if context else None
    stated = consent.get("categoryPreferences") if isinstance(consent, dict) else None
    if not isinstance(stated, dict):
        return None
    decisions = {category: answer for category, answer in stated.items() if isinstance(answer, bool)}
    return decisions if decisions or not stated else None


def _group(value: object) -> str:
    if isinstance(value, str) and len(value.strip()) > LONGEST_GROUP_ID:
        raise _rejection("group_id_too_long")
    text = plain(value)
    if not text:
        raise _rejection("missing_group_id")
    if len(text) > LONGEST_GROUP_ID:
        raise _rejection("group_id_too_long")
    return text
