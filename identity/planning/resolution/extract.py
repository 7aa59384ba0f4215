"""Reads the body of a call into a `Call` (docs/merging-rules.md §1).

A body is read whole or rejected with a stable code; no body raises any other error. The same body under the
same rules gives the same call, but for a generated message id, so that a rebuild reads as ingest read.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast
from uuid import uuid4

from identity.planning.consent.statements import statements
from identity.planning.resolution.alias_previous_id import previous_id, readings
from identity.planning.resolution.claimed_identifiers import ClaimedIdentifiers, is_blocked_group
from identity.planning.resolution.event_time import event_time
from identity.planning.resolution.placeholder_values import is_placeholder
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import KINDS, Call, Kind, Source
from identity.values.documents import TimedSignal
from identity.values.errors import BadCall
from identity.values.identifiers import ANONYMOUS_ID, EMAIL, PHONE, USER_ID
from identity.values.plain_text import UnusableValue, plain, shown
from identity.values.timestamps import parse_timestamp

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
    "missing_event": "A track call needs an event: its name, as text that is not empty.",
    "invalid_timestamp": "timestamp, originalTimestamp or receivedAt is no time; write 2026-01-31T12:00:00Z.",
    "missing_consent_preferences": "context.consent.categoryPreferences object is required",
}

_SPELLINGS = {name.lower(): name for name in ("userId", "anonymousId", "previousId", "groupId", "traits", "context")}
# These fields belong to the delivery and not to the event; `writeKey` is a secret.
_OF_THE_DELIVERY = ("writeKey", "_metadata")


def extract(  # noqa: C901, PLR0912, PLR0915 (one pass in document order; parts would each cost a call)
    body: object,
    *,
    kind: Kind | None,
    rules: Rules,
    received: int,
    sent_at: object,
    source: Source,
) -> Call:
    """The call in a body. Raises only BadCall, with a key of REJECTIONS as its `code`.

    With `kind` None the `type` of the body decides, as in a batch. `received` is in microseconds; `sent_at` is
    the `sentAt` of the envelope as it arrived, or None to ignore it. Removes `writeKey` and `_metadata` from
    the body; the call keeps the body.
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
    user = claims.claim(USER_ID, get("userId"))
    own = traits if kind == "identify" else None
    if own:
        claims.claim(EMAIL, own.get("email"))
    if theirs:
        claims.claim(EMAIL, theirs.get("email"))
    if properties and rules.promote_property_email:
        claims.claim(EMAIL, properties.get("email"))
    if own:
        claims.claim(PHONE, own.get("phone"))
    if theirs:
        claims.claim(PHONE, theirs.get("phone"))
    if context:
        claims.external(context.get("externalIds"))
        claims.device(context.get("device"))
        claims.google_analytics(context.get("integrations"))
    anonymous = claims.claim(ANONYMOUS_ID, get("anonymousId"))
    alias = None
    if kind == "alias":
        alias = previous_id(body, claims, user, anonymous, source)
    if len(claims) >= TOO_MANY_IDENTIFIERS:
        raise _rejection("too_many_identifiers")

    group = _joined(kind, get("groupId"), claims)
    consent = _decisions(kind, body, context)
    if kind == "track" and get("event") == CONSENT_EVENT and not _has_preferences(context):
        raise _rejection("missing_consent_preferences")
    happened = event_time(body, received, sent_at)
    stated = statements(context, server=source.server, received=received, time=happened.time)
    return Call(
        kind=kind,
        message_id=message_id,
        time=happened.time,
        received=received,
        source=source,
        body=body,
        identifiers=claims.kept,
        demoted=claims.demoted,
        traits=own,
        consent=consent,
        signals=stated.signals,
        invalid_signals=stated.invalid,
        group=group,
        group_traits=traits if kind == "group" and group is not None else None,
        alias=alias,
        unlinked=readings(get("previousId"), rules) if kind == "alias" and alias is None else [],
        ignored_times=happened.ignored,
        guessed_time=happened.guessed,
    )


def receipt_time(stated: object) -> int:
    """The time at which an imported call says it was received. BadCall."""
    time = parse_timestamp(stated)
    if time is None:
        raise _rejection("invalid_timestamp")
    return time


def require_time(call: Call) -> None:
    """Reject a call whose timestamp is no time: an import that counts as happening now would overwrite what is newer.

    For a call that states when it was received (`receipt_time`), that time bounds the error.
    """
    if call.guessed_time:
        raise _rejection("invalid_timestamp")


def require_event(call: Call) -> None:
    """Reject a track call without the name of its event, as Segment's libraries do; a stored one is read on."""
    if call.kind == "track":
        event = call.body.get("event")
        if not isinstance(event, str) or not event.strip():
            raise _rejection("missing_event")


def missing_identifier_hint(body: Mapping[str, Any]) -> str:
    """What to change in a call without identifiers: the right spelling of a field, or the fields to send."""
    for name in body:
        right = _SPELLINGS.get(name.replace("_", "").replace("-", "").lower())
        if right is not None and name != right:
            return f"{shown(name)} is not read; send {right}."
    return "Send userId or anonymousId."


class CallContent(NamedTuple):
    """The content of a stored call; ingest accepted the call, so every part is usable."""

    traits: Mapping[str, Any] | None
    consent: Mapping[str, bool] | None
    signals: Mapping[str, TimedSignal]
    invalid_signals: list[str]


def content(body: dict[str, Any], kind: Kind, *, server: bool, received: int, time: int) -> CallContent:
    """The content of a stored call, as `extract` reads it under any rules."""
    context = _object(body.get("context"), "context_not_object")
    theirs = context.get("traits") if context else None
    traits = _traits(kind, body.get("traits"), theirs if isinstance(theirs, dict) else None)
    stated = statements(context, server=server, received=received, time=time)
    return CallContent(
        traits=traits if kind == "identify" else None,
        consent=_decisions(kind, body, context),
        signals=stated.signals,
        invalid_signals=stated.invalid,
    )


def group_traits(body: dict[str, Any]) -> dict[str, Any]:
    """The traits that a stored group call gives its group."""
    return _traits("group", body.get("traits"), None) or {}


def stated_group(body: dict[str, Any], kind: Kind, rules: Rules) -> str | None:
    """The group that a stored call joins or leaves, as `extract` reads the call under the rules of its time."""
    if kind not in ("group", "leave"):
        return None
    group = _group(body.get("groupId"))
    return None if kind == "group" and is_blocked_group(group, rules) else group


def _rejection(code: str) -> BadCall:
    error = BadCall(REJECTIONS[code])
    error.code = code
    return error


def _object(value: object, code: str) -> dict[str, Any] | None:
    """An object, or None where it is absent. PHP writes an empty object as an empty array."""
    if value is None or isinstance(value, dict):
        return value
    if value == []:
        return None
    raise _rejection(code)


def _traits(kind: Kind, stated: object, theirs: dict[str, Any] | None) -> dict[str, Any] | None:
    """The traits that a call sets; the SDKs of RudderStack send the traits of an identify in its context alone."""
    traits = theirs if stated is None and kind == "identify" else _object(stated, "traits_not_object")
    if traits is not None and len(traits) >= TOO_MANY_TRAITS:
        raise _rejection("too_many_traits")
    return traits


def _message_id(value: object) -> str:
    """The message id; a blank one or a placeholder counts as absent, and an absent one is generated.

    All messages of a program that sends `undefined` would otherwise be repetitions of the first.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return _new_message_id()
    if isinstance(value, str) and len(value) > LONGEST_MESSAGE_ID:
        raise _rejection("message_id_too_long")
    try:
        text = plain(value)
    except UnusableValue:
        raise _rejection("bad_message_id") from None
    if len(text) > LONGEST_MESSAGE_ID:
        raise _rejection("message_id_too_long")
    if is_placeholder(text):
        return _new_message_id()
    # Text stays unchanged: two ids that differ for the sender are two messages.
    return value if isinstance(value, str) else text


def _new_message_id() -> str:
    return f"onefold-{uuid4().hex}"


def _has_preferences(context: dict[str, Any] | None) -> bool:
    consent = context.get("consent") if context else None
    return isinstance(consent, dict) and isinstance(consent.get("categoryPreferences"), dict)


def _decisions(kind: Kind, body: dict[str, Any], context: dict[str, Any] | None) -> dict[str, bool] | None:
    """The consent decisions of a call by category.

    Empty where the call states no decisions; None where the call holds no readable statement, which must not
    count as an empty one. Decisions that a server records for a person are no statement of every category.
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


def _joined(kind: Kind, value: object, claims: ClaimedIdentifiers) -> str | None:
    """The group that a call joins or leaves; a placeholder can be left and not joined."""
    if kind not in ("group", "leave"):
        return None
    group = _group(value)
    return group if kind == "leave" else claims.group(group)


def _group(value: object) -> str:
    if isinstance(value, str) and len(value.strip()) > LONGEST_GROUP_ID:
        raise _rejection("group_id_too_long")
    try:
        text = plain(value)
    except UnusableValue:
        raise _rejection("missing_group_id") from None
    if len(text) > LONGEST_GROUP_ID:
        raise _rejection("group_id_too_long")
    return text
