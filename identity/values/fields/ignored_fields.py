"""Names the fields of a call that nothing reads, each with its reason.

A call with such a field is taken. The fields are misspelt or in another place (`field_names`), belong to a call of
another type, or have another form than the one that is read.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from identity.values.calls import KINDS, Kind
from identity.values.fields.names import MisspeltField
from identity.values.identity_tokens.claims import TokenFault

FUTURE_TIMESTAMP: Final = "future_timestamp"
FIELD_NOT_OBJECT: Final = "field_not_object"
MISSPELT_FIELD: Final = "misspelt_field"
FIELD_NOT_BOOLEAN: Final = "field_not_boolean"
DESTINATION_IDS: Final = "destination_ids"
TYPE_OF_PATH: Final = "type_of_path"
FIELD_OF_OTHER_TYPE: Final = "field_of_other_type"
FIELD_OF_IMPORT: Final = "field_of_import"
GROUP_OF_CONTEXT: Final = "group_of_context"
TRAITS_OF_CONTEXT: Final = "traits_of_context"
TRAITS_IN_TWO_PLACES: Final = "traits_in_two_places"
TRACKING_NOT_STATED: Final = "tracking_not_stated"
TRACKING_NOT_ALLOWED: Final = "tracking_not_allowed"
PROTECTED_TRAIT: Final = "protected_trait"
FIELD_REASONS: Final = frozenset(
    {
        FUTURE_TIMESTAMP, FIELD_NOT_OBJECT, FIELD_NOT_BOOLEAN, MISSPELT_FIELD, DESTINATION_IDS, TYPE_OF_PATH,
        FIELD_OF_OTHER_TYPE, FIELD_OF_IMPORT, GROUP_OF_CONTEXT, TRAITS_OF_CONTEXT, TRAITS_IN_TWO_PLACES,
        TRACKING_NOT_STATED, TRACKING_NOT_ALLOWED, PROTECTED_TRAIT, *TokenFault,
    }
)  # fmt: skip
"""The reasons of a field that is not read, in a call that is taken."""
UNLISTED: Final = frozenset({GROUP_OF_CONTEXT, TRAITS_OF_CONTEXT, TRACKING_NOT_ALLOWED})
"""The reasons that stand in outcomes and not in the list of rejections, since SDKs send such fields on every call."""
FIELDS_OF_TYPES: Final[Mapping[str, frozenset[Kind]]] = {
    "event": frozenset({"track"}),
    "name": frozenset({"page", "screen"}),
    "category": frozenset({"page", "screen"}),
    "properties": frozenset({"track", "page", "screen"}),
    "traits": frozenset({"identify", "group"}),
    "groupId": frozenset({"group"}),
    "previousId": frozenset({"alias"}),
    "previousIdType": frozenset({"alias"}),
    "decisions": frozenset(),
}
"""The types of call that read a field, for each field that some types do not read."""
OF_SDKS: Final = frozenset(
    {
        "channel", "version", "projectId", "writeKey", "_metadata", "force", "rudderId", "request_ip", "options",
        "user_properties", "userProperties",
    }
)  # fmt: skip
"""The fields of every call that SDKs send and nothing reads."""
_OTHER_WORDS: Final = ("user_properties", "userProperties", "options")
_OF_OPTIONS: Final = frozenset({"context", "traits", "anonymousId", "userId", "externalIds", "timestamp", "consent"})
_NOTHING: Final[tuple[object, ...]] = (None, "", [], {})
# The e-mail address and the number are read as identifiers; SDKs for phones add the ids of the call.
_IDENTIFYING: Final = frozenset({"email", "phone", "userId", "anonymousId", "user_id", "anonymous_id"})
_GOOGLE_ANALYTICS: Final = "Google Analytics"
_RUDDERSTACK_IDS: Final = "context.externalId"
_GROUP: Final = "context.groupId"


def unread_fields(misspelt: Iterable[MisspeltField]) -> dict[str, str]:
    """The reason of each misspelt field.

    `groupId` of a context makes nobody a member under any spelling. `context.externalId` of RudderStack is no misspelt
    `externalIds`: its entries name records of destinations, which many people may share (an organisation, a list, a
    table), so they identify nobody.
    """
    return {each.path: _reason(each) for each in misspelt if not _is_empty(each)}


def _is_empty(field: MisspeltField) -> bool:
    if field.path == _RUDDERSTACK_IDS:
        return bool(field.value == [])
    return field.right == _GROUP and field.value in ("", [])


def _reason(field: MisspeltField) -> str:
    if field.right == _GROUP:
        return GROUP_OF_CONTEXT
    if field.path == _RUDDERSTACK_IDS and _of_destinations(field.value):
        return DESTINATION_IDS
    return MISSPELT_FIELD


def list_other_types(body: Mapping[str, Any], kind: Kind, ignored: dict[str, str]) -> None:
    """List the fields of a call that stand for a call of another type, or are another word for a field.

    The SDKs of RudderStack repeat the type or the name of a page as `event`, which says nothing new.
    """
    if kind not in KINDS:
        return
    if "type" in body and body["type"] != kind and body["type"] is not None:
        ignored["type"] = TYPE_OF_PATH
    for name, kinds in FIELDS_OF_TYPES.items():
        if name in body and kind not in kinds and body[name] not in _NOTHING and not _repeats(body, kind, name):
            ignored[name] = FIELD_OF_OTHER_TYPE
    for name in _OTHER_WORDS:
        value = body.get(name)
        if value and isinstance(value, dict) and (name != "options" or not _OF_OPTIONS.isdisjoint(value)):
            ignored[name] = MISSPELT_FIELD


def _repeats(body: Mapping[str, Any], kind: Kind, name: str) -> bool:
    """Whether `event` or `name` repeats the type or the name of its call."""
    if name not in ("event", "name"):
        return False
    properties = body.get("properties")
    others = [kind, body.get("event" if name == "name" else "name")]
    return body[name] in [*others, properties.get("name") if isinstance(properties, dict) else kind]


def list_traits_of_context(
    theirs: Mapping[str, Any], own: Mapping[str, Any] | None, kind: Kind, ignored: dict[str, str]
) -> None:
    """List traits in a context that set nothing, as in Segment: those of another call, and those beside the traits.

    `own` are the traits of the call. SDKs for phones repeat the traits of their user in the context of every call.
    """
    if kind != "identify":
        if kind in KINDS and not _IDENTIFYING.issuperset(theirs):
            ignored["context.traits"] = TRAITS_OF_CONTEXT
    elif own is not theirs and any(
        value is not None and (own is None or own.get(name) != value)
        for name, value in theirs.items()
        if name not in ("userId", "anonymousId")
    ):
        ignored["context.traits"] = TRAITS_IN_TWO_PLACES


def list_unread(context: Mapping[str, Any], ignored: dict[str, str]) -> None:
    """List the parts of a context that are not read for their form, their meaning or a missing permission."""
    integrations, device = context.get("integrations"), context.get("device")
    if integrations is not None and integrations != [] and not isinstance(integrations, dict):
        ignored["context.integrations"] = FIELD_NOT_OBJECT
    elif integrations:
        google = integrations.get(_GOOGLE_ANALYTICS)
        if google is not None and google != [] and not isinstance(google, (dict, bool)):
            ignored[f"context.integrations.{_GOOGLE_ANALYTICS}"] = FIELD_NOT_OBJECT
    if isinstance(device, dict) and device.get("advertisingId") not in (None, ""):
        _list_tracking(device.get("adTrackingEnabled"), ignored)
    if context.get("groupId") not in (None, "", []):
        ignored[_GROUP] = GROUP_OF_CONTEXT


def _list_tracking(allowed: object, ignored: dict[str, str]) -> None:
    """List an advertising id that is read only with permission, or a permission that cannot be read."""
    if allowed is None:
        ignored["context.device.advertisingId"] = TRACKING_NOT_STATED
    elif not isinstance(allowed, bool):
        ignored["context.device.adTrackingEnabled"] = FIELD_NOT_BOOLEAN
    elif not allowed:
        ignored["context.device.advertisingId"] = TRACKING_NOT_ALLOWED


def _of_destinations(value: object) -> bool:
    """Whether a value is a list in the form of RudderStack, which has neither `collection` nor `encoding`."""
    return isinstance(value, list) and all(
        isinstance(each, dict)
        and "type" in each
        and "id" in each
        and each.keys().isdisjoint(("collection", "encoding"))
        for each in value
    )
