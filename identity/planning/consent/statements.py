"""What a call says of consent beyond its categories, as the signals that a document keeps.

    stated            the names of the categories of a whole statement: one that it leaves out is denied
    <class>           a grant or denial of a class of purposes, by a consent manager (TCF, Google)
    out:<class>       an opt-out (GPC, GPP, US Privacy): it stands until the person says otherwise
    minor             somebody is a minor; only a server-side key says that they are none
    region            under whose law they are, as `DE` or `US-CA`

All but the opt-outs and `minor` are kept apart by who said them (`:server`). What cannot be read
states nothing, so it never grants.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from identity.planning.consent.signals import gpp, tcf
from identity.planning.consent.signals.read_signals import Signals, read_signals
from identity.values.documents import MINOR, SERVER, STATED

OUT: Final = "out:"
REGION: Final = "region"
MOST_STATED: Final = 500
_REGION: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


def region(value: object) -> str | None:
    """A region as it is kept, from what was written; None where it is none."""
    text = value.strip().upper() if isinstance(value, str) else ""
    return text if _REGION.fullmatch(text) else None


def statements(context: Mapping[str, Any] | None, *, server: bool, received: int) -> dict[str, Any]:
    """The signals in the context of a call, by their names; `received` in microseconds."""
    if not context or not ("consent" in context or "gpc" in context):
        return {}
    told: dict[str, Any] = {}
    suffix = SERVER if server else ""
    consent = context.get("consent")
    if isinstance(consent, dict):
        stated = _stated(consent.get("categoryPreferences"))
        if stated is not None:
            told[STATED + suffix] = stated
        where = region(consent.get("jurisdiction"))
        if where is not None:
            told[REGION + suffix] = where
        minor = consent.get("minor")
        if minor is True or (minor is False and server):
            told[MINOR] = minor
    _decoded(told, read(context, server=server, received=received), suffix, received)
    return told


def read(context: Mapping[str, Any], *, server: bool, received: int) -> Signals:
    """The signals themselves; of a public key what its header said stands in its context."""
    # A browser that says it in its context denies no less than one that says it in a header.
    said = not server and context.get("gpc") is True
    return read_signals(context, header=said, server=server, now=received)


def _stated(preferences: object) -> list[str] | None:
    """The categories that were answered; None where nothing that can be read was said."""
    if not isinstance(preferences, dict):
        return None
    named = sorted(name for name, value in preferences.items() if isinstance(value, bool))
    return named[:MOST_STATED] if named or not preferences else None


def _decoded(told: dict[str, Any], signals: Signals, suffix: str, received: int) -> None:
    for signal in signals.found:
        if signal.source in ("tcf", "gcm"):
            _add(told, signal.stated, "", suffix)
            continue
        outs, stated = dict(signal.stated), {}
        if signal.source == "gpp" and not signal.invalid:
            decoded = gpp.decode(signal.raw, received)
            if decoded.tcf is not None:
                # Of its sections TCF alone grants, and what that denies it can grant again.
                stated = tcf.statements(decoded.tcf)
                rest = gpp.statements(gpp.Gpp((), None, decoded.us_privacy, decoded.usnat, decoded.usca))
                outs = dict(rest)
        _add(told, stated, "", suffix)
        _add(told, {name: False for name, granted in outs.items() if not granted}, OUT, "")


def _add(told: dict[str, Any], stated: Mapping[Any, bool], prefix: str, suffix: str) -> None:
    for name, granted in stated.items():
        at = f"{prefix}{name}{suffix}"
        told[at] = told.get(at, True) and granted
