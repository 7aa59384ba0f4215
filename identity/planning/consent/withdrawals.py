"""Finds the calls that withdraw consent, and the part of such a call that a restored database needs.

A call withdraws where a document that was stored before gets a denial, an opt-out or a stricter statement that it did
not have. The first statements of a new origin withdraw nothing: a backup from before them lacks the origin too.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from identity.planning.consent.statements import REGION
from identity.values.documents import MINOR, SERVER, STATED, Document, Stamped

_ALL: Final = frozenset((STATED, STATED + SERVER))
_REGIONS: Final = frozenset((REGION, REGION + SERVER))
_NOTHING: Final[tuple[Mapping[str, Stamped], Mapping[str, Stamped]]] = ({}, {})
_UNUSED: Final = frozenset(
    [
        "traits",
        "properties",
        "groupId",
        "previousId",
        "userId",
        "anonymousId",
        "event",
        "name",
        "type",
        "writeKey",
        "integrations",
    ]
)
_UNUSED_CONTEXT: Final = frozenset(
    [
        "traits",
        "page",
        "campaign",
        "device",
        "library",
        "os",
        "screen",
        "userAgent",
        "userAgentData",
        "ip",
        "app",
        "network",
        "externalIds",
        "location",
        "locale",
        "timezone",
        "referrer",
        "sessionId",
    ]
)


class ConsentEntries(Struct, frozen=True):
    """What a document states on consent at one moment."""

    consent: Mapping[str, Stamped]
    server_decisions: Mapping[str, Stamped]
    signals: Mapping[str, Stamped]
    devices: Mapping[str, tuple[Mapping[str, Stamped], Mapping[str, Stamped]]] = {}


def consent_entries(document: Document) -> ConsentEntries:
    """The statements of a document, which later changes of the document leave as they are."""
    devices = {tag: (dict(each.consent), dict(each.signals)) for tag, each in document.devices.items()}
    return ConsentEntries(dict(document.consent), dict(document.server_decisions), dict(document.signals), devices)


def withdraws(before: ConsentEntries, after: Document) -> bool:
    """Whether a document states something stricter than it did."""
    return (
        _denies(before.consent, after.consent)
        or _denies(before.server_decisions, after.server_decisions)
        or _any_stricter(before.signals, after.signals)
        or any(
            _denies(consent, stated.consent) or _any_stricter(signals, stated.signals)
            for tag, stated in after.devices.items()
            for consent, signals in (before.devices.get(tag, _NOTHING),)
        )
    )


def _any_stricter(before: Mapping[str, Stamped], after: Mapping[str, Stamped]) -> bool:
    return any(
        _is_stricter(name, before.get(name), entry) for name, entry in after.items() if entry is not before.get(name)
    )


def _denies(before: Mapping[str, Stamped], after: Mapping[str, Stamped]) -> bool:
    return any(entry[0] is False and _value(before.get(name)) is not False for name, entry in after.items())


def _is_stricter(name: str, before: Stamped | None, entry: Stamped) -> bool:
    if name in _ALL:
        return before is None or not set(before[0]) <= set(entry[0])
    if name in _REGIONS:
        return bool(_value(before) != entry[0])
    strict = name == MINOR
    return bool(entry[0]) is strict and _value(before) is not strict


def _value(entry: Stamped | None) -> Any:
    return None if entry is None else entry[0]


def consent_body(body: Mapping[str, Any], decisions: Mapping[str, bool] | None) -> dict[str, Any]:
    """The body of a call of the kind `consent` that states what this call states on consent, and nothing else."""
    kept = {name: value for name, value in body.items() if name not in _UNUSED}
    context = body.get("context")
    if isinstance(context, dict):
        kept["context"] = {name: value for name, value in context.items() if name not in _UNUSED_CONTEXT}
    return {**kept, "decisions": dict(decisions or {})}
