"""Reads the consent statements of a call other than decisions, as the signals that a document keeps.

    stated            the categories of a complete statement, which denies every category that it leaves out
    <class>           a grant or denial of a class of purposes, by a consent manager (TCF, Google)
    out:<class>       an opt-out (GPC, GPP, US Privacy), in force until the person decides otherwise
    minor             the person is a minor; only a server-side key can revoke this
    region            the jurisdiction of the person, as `DE` or `US-CA`

Statements of server-side keys are kept apart under names that end in `:server`, except opt-outs and `minor`.
An unreadable statement states nothing, so it never grants.
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


def parse_region(value: object) -> str | None:
    """A region in its stored form; None if the value is no region."""
    text = value.strip().upper() if isinstance(value, str) else ""
    return text if _REGION.fullmatch(text) else None


def statements(context: Mapping[str, Any] | None, *, server: bool, received: int) -> dict[str, Any]:
    """The signals in the context of a call, by name; `received` in microseconds."""
    if not context or not ("consent" in context or "gpc" in context):
        return {}
    found: dict[str, Any] = {}
    suffix = SERVER if server else ""
    consent = context.get("consent")
    if isinstance(consent, dict):
        stated = _decided_categories(consent.get("categoryPreferences"))
        if stated is not None:
            found[STATED + suffix] = stated
        where = parse_region(consent.get("jurisdiction"))
        if where is not None:
            found[REGION + suffix] = where
        minor = consent.get("minor")
        if minor is True or (minor is False and server):
            found[MINOR] = minor
    _add_decoded(found, read_call_signals(context, server=server, received=received), suffix, received)
    return found


def read_call_signals(context: Mapping[str, Any], *, server: bool, received: int) -> Signals:
    """The signals of a call; for a public key the context holds the value of the Sec-GPC header."""
    # A browser that sets the field in its context opts out like one that sends the header.
    opted_out = not server and context.get("gpc") is True
    return read_signals(context, header=opted_out, server=server, now=received)


def _decided_categories(preferences: object) -> list[str] | None:
    """The categories with a decision; None without a readable one."""
    if not isinstance(preferences, dict):
        return None
    named = sorted(name for name, value in preferences.items() if isinstance(value, bool))
    return named[:MOST_STATED] if named or not preferences else None


def _add_decoded(found: dict[str, Any], signals: Signals, suffix: str, received: int) -> None:
    for signal in signals.found:
        if signal.source in ("tcf", "gcm"):
            _add(found, signal.stated, "", suffix)
            continue
        outs, stated = dict(signal.stated), {}
        if signal.source == "gpp" and not signal.invalid:
            decoded = gpp.decode(signal.raw, received)
            if decoded.tcf is not None:
                # TCF is the only section that grants, and a later TCF grant lifts a TCF denial.
                stated = tcf.statements(decoded.tcf)
                rest = gpp.statements(gpp.Gpp((), None, decoded.us_privacy, decoded.usnat, decoded.usca))
                outs = dict(rest)
        _add(found, stated, "", suffix)
        _add(found, {name: False for name, granted in outs.items() if not granted}, OUT, "")


def _add(found: dict[str, Any], stated: Mapping[Any, bool], prefix: str, suffix: str) -> None:
    for name, granted in stated.items():
        at = f"{prefix}{name}{suffix}"
        found[at] = found.get(at, True) and granted
