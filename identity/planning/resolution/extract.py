"""Reads the body of a call into a `Call` (docs/merging-rules.md §1).

A body is read whole or rejected with a stable code; no body raises any other error. The same body under the
same rules gives the same call, but for a generated message id, so that a rebuild reads as ingest read.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast
from uuid import uuid4

from identity.planning.consent.devices import device_of, of_person
from identity.planning.consent.misplaced_statements import misplaced_in_call
from identity.planning.consent.statements import CallStatements, statements
from identity.planning.resolution.alias_previous_id import previous_id, readings
from identity.planning.resolution.call_requirements import (
    CONSENT_EVENT,
    LONGEST_GROUP_ID,
    LONGEST_MESSAGE_ID,
    MOST_PROPERTIES,
    TOO_MANY_IDENTIFIERS,
    TOO_MANY_TRAITS,
    rejection,
)
from identity.planning.resolution.claimed_identifiers import (
    ClaimedIdentifiers,
    Memo,
    is_blocked_group,
)
from identity.planning.resolution.event_time import event_time
from identity.planning.resolution.resolution_rules import Rules
from identity.values.calls import KINDS, Call, Identifier, Kind, Source
from identity.values.documents import TimedSignal
from identity.values.fields.field_names import misspelt_fields
from identity.values.fields.identity_token import drop_misspelt
from identity.values.fields.ignored_fields import (
    FIELD_NOT_OBJECT,
    FUTURE_TIMESTAMP,
    list_other_types,
    list_traits_of_context,
    list_unread,
    unread_fields,
)
from identity.values.identifiers import ANONYMOUS_ID, EMAIL, PHONE, USER_ID
from identity.values.identity_tokens.claims import FIELD, Proof, TokenClaims, TokenFault
from identity.values.placeholders.placeholder_values import is_placeholder
from identity.values.plain_text import UnusableValue, plain
from identity.values.stamps import Micros

# These fields belong to the delivery and not to the event; `writeKey` is a secret.
_NO_TRAITS: tuple[object, ...] = (None, {}, [])
_OF_THE_DELIVERY = ("writeKey", "_metadata")


def extract(  # noqa: C901, PLR0912, PLR0915 (one pass in document order; parts would each cost a call)
    body: object,
    *,
    kind: Kind | None,
    rules: Rules,
    received: Micros,
    sent_at: object,
    source: Source,
    memo: Memo | None = None,
    token: TokenClaims | TokenFault | None = None,
) -> Call:
    """The call in a body. Raises only BadCall, with a key of REJECTIONS as its `code`.

    With `kind` None the `type` of the body decides, as in a batch. `received` is in microseconds; `sent_at` is
    the `sentAt` of the envelope as it arrived, or None to ignore it. Removes `writeKey` and `_metadata` from
    the body; the call keeps the body. Calls of one batch may share a `memo`. `token` is what the identity token of the
    call states, or why it states nothing.
    """
    if not isinstance(body, dict):
        raise rejection("not_an_object")
    get = body.get
    if kind is None:
        kind = get("type")
        if kind not in KINDS:
            raise rejection("invalid_type")
        kind = cast("Kind", kind)
    for name in _OF_THE_DELIVERY:
        if name in body:
            del body[name]
    message_id = _message_id(get("messageId"))
    context = _object(get("context"), "context_not_object")
    theirs = context.get("traits") if context else None
    misspelt = misspelt_fields(body, context, of_group=kind == "group")
    ignored = unread_fields(misspelt) if misspelt else {}
    if ignored:
        left = drop_misspelt(body, misspelt)
        if left is not body:
            body, get = left, left.get
            context = _object(get("context"), "context_not_object")
            theirs = context.get("traits") if context else None
    misplaced = misplaced_in_call(misspelt, body, kind)
    if not isinstance(theirs, dict):
        if theirs is not None and theirs != []:
            ignored["context.traits"] = FIELD_NOT_OBJECT
        theirs = None
    traits = _traits(kind, get("traits"), theirs) if kind in ("identify", "group") else None
    list_other_types(body, kind, ignored)
    if theirs:
        list_traits_of_context(theirs, traits, kind, ignored)
    properties = get("properties")
    if not isinstance(properties, dict):
        if properties is not None and properties != []:
            ignored["properties"] = FIELD_NOT_OBJECT
        properties = None
    elif len(properties) > MOST_PROPERTIES:
        raise rejection("too_many_properties")

    claims = ClaimedIdentifiers(rules, memo)
    user = claims.claim(USER_ID, get("userId"))
    proven = token if token is None or isinstance(token, TokenFault) else claims.prove(token, user)
    if isinstance(proven, TokenFault):
        ignored[FIELD] = proven
    own = traits if kind == "identify" else None
    email = phone = None
    if own:
        email = claims.claim(EMAIL, own.get("email"))
    if theirs:
        claims.claim(EMAIL, theirs.get("email"))
    if properties and rules.promote_property_email:
        claims.claim(EMAIL, properties.get("email"))
    if own:
        phone = claims.claim(PHONE, own.get("phone"))
    if theirs:
        claims.claim(PHONE, theirs.get("phone"))
    if kind in ("leave", "confirm"):
        claims.stored((context or {}).get("externalIds"))
    elif context:
        claims.external(context.get("externalIds"))
        claims.device(context.get("device"))
        claims.google_analytics(context.get("integrations"))
        list_unread(context, ignored)
    anonymous = claims.claim(ANONYMOUS_ID, get("anonymousId"))
    alias = None
    if kind == "alias":
        alias = previous_id(body, claims, user, anonymous, source)
    if len(claims) >= TOO_MANY_IDENTIFIERS:
        raise rejection("too_many_identifiers")

    group = _joined(kind, get("groupId"), claims)
    if kind == "track" and get("event") == CONSENT_EVENT and not _has_preferences(context):
        raise rejection("missing_consent_preferences")
    event = event_time(body, received, sent_at)
    if event.future is not None:
        ignored[event.future] = FUTURE_TIMESTAMP
    stated = statements(context, misplaced, server=source.server, received=received, time=event.time)
    consent = _decisions(kind, body, stated)
    proof = _proof(proven, email, phone) if isinstance(proven, dict) else None
    return Call(
        kind=kind,
        message_id=message_id,
        time=event.time,
        received=received,
        source=source,
        body=body,
        identifiers=claims.kept,
        demoted=claims.demoted,
        traits=own,
        consent=consent,
        signals=stated.signals if proof is None else of_person(stated.signals),
        invalid_signals=stated.invalid,
        device=None if source.server or proof else device_of(body),
        group=group,
        group_traits=traits if kind == "group" and group is not None else None,
        alias=alias,
        unlinked=readings(get("previousId"), rules) if kind == "alias" and alias is None else [],
        ignored_times=event.ignored,
        guessed_time=event.guessed,
        ignored_fields=ignored,
        proof=proof,
    )


class CallContent(NamedTuple):
    """The content of a stored call; ingest accepted the call, so every part is usable."""

    traits: Mapping[str, Any] | None
    consent: Mapping[str, bool] | None
    signals: Mapping[str, TimedSignal]
    invalid_signals: list[str]
    device: str | None


def content(
    body: dict[str, Any], kind: Kind, *, server: bool, received: Micros, time: Micros, proven: bool = False
) -> CallContent:
    """The content of a stored call, as `extract` reads it under any rules; `proven`: by an identity token."""
    context = _object(body.get("context"), "context_not_object")
    theirs = context.get("traits") if context else None
    traits = _traits(kind, body.get("traits"), theirs if isinstance(theirs, dict) else None)
    misplaced = misplaced_in_call(misspelt_fields(body, context, of_group=kind == "group"), body, kind)
    stated = statements(context, misplaced, server=server, received=received, time=time)
    return CallContent(
        traits=traits if kind == "identify" else None,
        consent=_decisions(kind, body, stated),
        signals=of_person(stated.signals) if proven else stated.signals,
        invalid_signals=stated.invalid,
        device=None if server or proven else device_of(body),
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


def _object(value: object, code: str) -> dict[str, Any] | None:
    """An object, or None where it is absent. PHP writes an empty object as an empty array."""
    if value is None or isinstance(value, dict):
        return value
    if value == []:
        return None
    raise rejection(code)


def _traits(kind: Kind, stated: object, theirs: dict[str, Any] | None) -> dict[str, Any] | None:
    """The traits that a call sets; the SDKs of RudderStack send the traits of an identify in its context alone."""
    traits = theirs if stated in _NO_TRAITS and kind == "identify" else _object(stated, "traits_not_object")
    if traits is not None and len(traits) >= TOO_MANY_TRAITS:
        raise rejection("too_many_traits")
    return traits


def _message_id(value: object) -> str:
    """The message id; a blank one or a placeholder counts as absent, and an absent one is generated.

    All messages of a program that sends `undefined` would otherwise be repetitions of the first.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return _new_message_id()
    if isinstance(value, str) and len(value) > LONGEST_MESSAGE_ID:
        raise rejection("message_id_too_long")
    try:
        text = plain(value)
    except UnusableValue:
        raise rejection("bad_message_id") from None
    if len(text) > LONGEST_MESSAGE_ID:
        raise rejection("message_id_too_long")
    if is_placeholder(text):
        return _new_message_id()
    # Text stays unchanged: two ids that differ for the sender are two messages.
    return value if isinstance(value, str) else text


def _new_message_id() -> str:
    return f"onefold-{uuid4().hex}"


def _has_preferences(context: dict[str, Any] | None) -> bool:
    consent = context.get("consent") if context else None
    return isinstance(consent, dict) and isinstance(consent.get("categoryPreferences"), dict)


def _proof(proven: dict[str, str], *traits: Identifier | None) -> Proof:
    """What a token proves of a call with these identifiers in its traits."""
    return Proof(proven, [each.type for each in traits if each is not None and proven.get(each.type) == each.value])


def _decisions(kind: Kind, body: dict[str, Any], stated: CallStatements) -> dict[str, bool] | None:
    """The consent decisions of a call by category.

    Empty where the call states none, or none that can be read; None where the call makes no statement.
    Decisions that a server records for a person are no statement of every category.
    """
    if kind == "consent":
        recorded = body.get("decisions")
        return dict(recorded) if isinstance(recorded, dict) else None
    return stated.categories


def _joined(kind: Kind, value: object, claims: ClaimedIdentifiers) -> str | None:
    """The group that a call joins or leaves; a placeholder can be left and not joined."""
    if kind not in ("group", "leave"):
        return None
    group = _group(value)
    return group if kind == "leave" else claims.group(group)


def _group(value: object) -> str:
    if isinstance(value, str) and len(value.strip()) > LONGEST_GROUP_ID:
        raise rejection("group_id_too_long")
    try:
        text = plain(value)
    except UnusableValue:
        raise rejection("missing_group_id") from None
    if len(text) > LONGEST_GROUP_ID:
        raise rejection("group_id_too_long")
    return text
