"""Reads the consent signals of a call, and the statements of each.

    header Sec-GPC: 1                     gpc         from keys that browsers hold
    context.gpc: true                     gpc         from server-side keys
    context.consent.tcf                   tcf         a TC string
    context.consent.gpp                   gpp         a GPP string
    context.consent.googleConsentMode     gcm         an object of `granted` and `denied`
    context.consent.usPrivacy             us_privacy  as `1YNN`

An absent or null field is no signal. An unreadable signal is listed as invalid and states nothing, so
earlier statements stay in force and the record shows the received value. The categories of a consent
manager (`categoryPreferences`) are the customer's own, not classes; `extract` reads them.
"""

import json
from collections.abc import Callable
from typing import Any, Final, Literal

from msgspec import Struct

from identity.planning.consent.signals import google, gpc, gpp, tcf, us_privacy
from identity.planning.consent.signals.classes import Class, Statements, combine
from identity.values.errors import BadSignal

Source = Literal["gpc", "tcf", "gpp", "gcm", "us_privacy"]
LONGEST_RAW: Final = gpp.LONGEST
_HEADER: Final = "Sec-GPC: 1"
_FIELD: Final = "context.gpc: true"


class Signal(Struct, frozen=True):
    """One signal and its statements.

    `raw` is the received value as evidence, in ASCII, at most LONGEST_RAW characters; empty for a value that
    is neither text nor readable. `ignored`: the signal is readable, but its key may not send it.
    """

    source: Source
    stated: Statements
    raw: str
    invalid: bool = False
    ignored: bool = False


class Signals(Struct, frozen=True):
    """All signals of a call, in the order of the table."""

    found: tuple[Signal, ...] = ()

    @property
    def stated(self) -> dict[Class, bool]:
        """The combined statements of all signals; a denial by any of them counts."""
        return combine(*(signal.stated for signal in self.found))


def read_signals(context: object, *, header: bool, server: bool, now: int) -> Signals:
    """The signals of a call with this `context`. Never raises.

    `header`: the request has an opt-out header (`gpc.is_opt_out_header`); `server`: the key is server-side;
    `now`: microseconds.
    """
    found = []
    if header:
        found.append(Signal("gpc", {} if server else gpc.statements(), _HEADER, ignored=server))
    if type(context) is not dict:
        return Signals(tuple(found))
    value = context.get("gpc")
    if value is True:
        found.append(Signal("gpc", gpc.statements() if server else {}, _FIELD, ignored=not server))
    elif value is not None and value is not False:
        found.append(Signal("gpc", {}, _raw(value), invalid=True))
    consent = context.get("consent")
    if type(consent) is dict:
        for source, field, read in _READERS:
            if consent.get(field) is not None:
                found.append(_read(source, consent[field], read, now))
    return Signals(tuple(found))


def _read(source: Source, value: object, read: Callable[[Any, int], Statements], now: int) -> Signal:
    try:
        stated = read(value, now)
    except BadSignal:
        return Signal(source, {}, _raw(value), invalid=True)
    return Signal(source, stated, _raw(value))


def _raw(value: object) -> str:
    """Text with escapes for characters beyond ASCII; a small object of texts as JSON."""
    if type(value) is str:
        return value[:LONGEST_RAW].encode("ascii", "backslashreplace").decode()[:LONGEST_RAW]
    if type(value) is dict and len(value) <= len(google.TYPES):
        flat = all(type(each) is str for pair in value.items() for each in pair)
        return _raw(json.dumps(value, sort_keys=True, separators=(",", ":"))) if flat else ""
    return ""


_READERS: Final[tuple[tuple[Source, str, Callable[[Any, int], Statements]], ...]] = (
    ("tcf", "tcf", lambda value, now: tcf.statements(tcf.decode(value, now))),
    ("gpp", "gpp", lambda value, now: gpp.statements(gpp.decode(value, now))),
    ("gcm", "googleConsentMode", lambda value, _: google.statements(google.decode(value))),
    ("us_privacy", "usPrivacy", lambda value, _: us_privacy.statements(us_privacy.decode(value))),
)
