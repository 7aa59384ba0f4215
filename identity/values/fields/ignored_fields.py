"""Names the fields of a call that nothing reads, each with its reason.

A call with such a field is taken. The fields are misspelt or in another place (`field_names`), belong to a call of
another type, or have another form than the one that is read.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from identity.values.calls import KINDS, Kind
from identity.values.fields.names import MisspeltField

FUTURE_TIMESTAMP: Final = "future_timestamp"
FIELD_NOT_OBJECT: Final = "field_not_object"
MISSPELT_FIELD: Final = "misspelt_field"
FIELD_NOT_BOOLEAN: Final = "field_not_boolean"
DESTINATION_IDS: Final = "destination_ids"
TYPE_OF_PATH: Final = "type_of_path"
FIELD_OF_OTHER_TYPE: Final = "field_of_other_type"
FIELD_OF_IMPORT: Final = "field_of_import"
GROUP_OF_CONTEXT: Final = "group_of_context"
TRACKING_NOT_STATED: Final = "tracking_not_stated"
TRACKING_NOT_ALLOWED: Final = "tracking_not_allowed"
PROTECTED_TRAIT: Final = "protected_trait"
FIELD_REASONS: Final = frozenset(
    {
        FUTURE_TIMESTAMP, FIELD_NOT_OBJECT, FIELD_NOT_BOOLEAN, MISSPELT_FIELD, DESTINATION_IDS, TYPE_OF_PATH,
        FIELD_OF_OTHER_TYPE, FIELD_OF_IMPORT, GROUP_OF_CONTEXT, TRACKING_NOT_STATED, TRACKING_NOT_ALLOWED,
        PROTECTED_TRAIT,
    }
)  # fmt: skip
"""The reasons of a field that is not read, in a call that is taken."""
UNLISTED: Final = frozenset({GROUP_OF_CONTEXT, TRACKING_NOT_ALLOWED})
"""The reasons that stand in outcomes and not in the list of rejections, since SDKs send such fields on every call."""
_WITHOUT_PROPERTIES: Final = frozenset({"identify", "group", "alias"})
_WITHOUT_TRAITS: Final = frozenset({"track", "page", "screen", "alias"})
_WITH_GROUP: Final = frozenset({"group", "leave"})
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
    """List the fields of a call that stand for a call of another type."""
    if "type" in body and body["type"] != kind and body["type"] is not None and kind in KINDS:
        ignored["type"] = TYPE_OF_PATH
    if "traits" in body and kind in _WITHOUT_TRAITS and body["traits"] not in (None, {}, []):
        ignored["traits"] = FIELD_OF_OTHER_TYPE
    if "properties" in body and kind in _WITHOUT_PROPERTIES and body["properties"] not in (None, {}, []):
        ignored["properties"] = FIELD_OF_OTHER_TYPE
    if kind != "alias" and body.get("previousId") is not None:
        ignored["previousId"] = FIELD_OF_OTHER_TYPE
    if "groupId" in body and kind not in _WITH_GROUP and body["groupId"] not in (None, ""):
        ignored["groupId"] = FIELD_OF_OTHER_TYPE


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
