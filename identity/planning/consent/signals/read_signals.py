"""Reads the consent signals of a call, and the statements of each.

    header Sec-GPC: 1                     gpc         from keys that browsers hold
    context.gpc: true                     gpc         from server-side keys
    context.consent.tcf                   tcf         a TC string
    context.consent.gpp                   gpp         a GPP string, one signal for each section
    context.consent.googleConsentMode     gcm         an object of `granted` and `denied`
    context.consent.usPrivacy             us_privacy  as `1YNN`

An absent or null field is no signal. An unreadable signal is listed as invalid and never grants, so earlier
statements stay in force and the record shows the received value. A `context.gpc` that cannot be read opts out, but for
a clear no: it may be an opt-out. The categories of a consent manager
(`categoryPreferences`) are the customer's own, not classes; `extract` reads them.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from identity.planning.consent.signals import google, gpc, gpp, tcf, us_privacy
from identity.planning.consent.signals.classes import Class, Statements, combine
from identity.values.errors import BadSignal
from identity.values.stamps import Micros

Source = Literal["gpc", "tcf", "gpp", "gcm", "us_privacy"]
LONGEST_RAW: Final = gpp.LONGEST
_HEADER: Final = "Sec-GPC: 1"
_FIELD: Final = "context.gpc: true"
_PART: Final = re.compile(r"[A-Za-z0-9_]{1,40}")


class Signal(Struct, frozen=True):
    """One signal and its statements.

    `raw` is the received value as evidence, in ASCII, at most LONGEST_RAW characters; empty for a value that
    is neither text nor readable. `invalid`: the signal could not be read whole, or
    its framework does not count it as valid. `ignored`: the signal is
    readable, but its key may not send it. `part` is a section of a GPP string or a member of a consent mode.
    `updated` is when the person decided, by a string that says so (microseconds). `opt_out`: the denials are
    opt-outs. `types` are the answers of a consent mode.
    """

    source: Source
    stated: Statements
    raw: str
    invalid: bool = False
    ignored: bool = False
    part: str = ""
    updated: Micros | None = None
    opt_out: bool = False
    types: Mapping[str, bool] = {}

    @property
    def name(self) -> str:
        """The source, with the part after a colon; a part that may be no name is left out."""
        return f"{self.source}:{self.part}" if _PART.fullmatch(self.part) else self.source


class Signals(Struct, frozen=True):
    """All signals of a call, in the order of the table."""

    found: tuple[Signal, ...] = ()

    @property
    def stated(self) -> dict[Class, bool]:
        """The combined statements of all signals; a denial by any of them counts."""
        return combine(*(signal.stated for signal in self.found))

    @property
    def sources(self) -> list[Source]:
        """The sources with a statement, each once."""
        return list(dict.fromkeys(each.source for each in self.found if each.stated))

    @property
    def invalid(self) -> list[str]:
        """The names of the signals that could not be read, each once."""
        return list(dict.fromkeys(each.name for each in self.found if each.invalid))


def read_signals(context: object, *, header: bool, server: bool, now: Micros) -> Signals:
    """The signals of a call with this `context`. Never raises.

    `header`: the request has an opt-out header (`gpc.is_opt_out_header`); `server`: the key is server-side;
    `now`: microseconds.
    """
    found = []
    if header:
        found.append(
            Signal(source="gpc", stated={} if server else gpc.statements(), raw=_HEADER, ignored=server, opt_out=True)
        )
    if type(context) is not dict:
        return Signals(tuple(found))
    value = context.get("gpc")
    field = gpc.read_field(value)
    if field:
        found.append(
            Signal(
                source="gpc", stated=gpc.statements() if server else {}, raw=_FIELD, ignored=not server, opt_out=True
            )
        )
    elif field is None:
        stated = gpc.statements() if gpc.read_words(value) else {}
        found.append(Signal(source="gpc", stated=stated, raw=_raw(value), invalid=True, opt_out=bool(stated)))
    consent = context.get("consent")
    if type(consent) is dict:
        for source, name, read in _READERS:
            if consent.get(name) is not None:
                # Copies of a cookie often carry blanks or a line break at their ends.
                value = consent[name].strip() if type(consent[name]) is str else consent[name]
                found += _read(source, value, read, now)
    return Signals(tuple(found))


def _read(source: Source, value: object, read: Callable[[Any, Micros], Iterator[Signal]], now: Micros) -> list[Signal]:
    try:
        return list(read(value, now))
    except BadSignal:
        return [Signal(source=source, stated={}, raw=_raw(value), invalid=True)]


def _tcf(value: object, now: Micros) -> Iterator[Signal]:
    decoded = tcf.decode(value, now)
    valid = tcf.is_valid(decoded)
    yield Signal(
        source="tcf", stated=tcf.statements(decoded), raw=_raw(value), invalid=not valid, updated=decoded.last_updated
    )


def _gpp(value: object, now: Micros) -> Iterator[Signal]:
    decoded = gpp.decode(value, now)
    if decoded.malformed:
        yield Signal(source="gpp", stated={}, raw=_raw(value), invalid=True)
    for section in decoded.sections:
        yield Signal(
            source="gpp",
            stated=section.stated,
            raw=_raw(section.text),
            invalid=section.invalid,
            part=section.name,
            updated=section.updated,
            opt_out=section.opt_out,
        )


def _gcm(value: object, _: Micros) -> Iterator[Signal]:
    mode = google.decode(value)
    yield Signal(source="gcm", stated=google.statements(mode), raw=_raw(value), types=mode.granted)
    for each in mode.unread:
        yield Signal(source="gcm", stated={}, raw="", invalid=True, part=each)


def _us_privacy(value: object, _: Micros) -> Iterator[Signal]:
    yield Signal(
        source="us_privacy", stated=us_privacy.statements(us_privacy.decode(value)), raw=_raw(value), opt_out=True
    )


def _raw(value: object) -> str:
    """Text with escapes for characters beyond ASCII; a small object of texts as JSON."""
    if type(value) is str:
        return value[:LONGEST_RAW].encode("ascii", "backslashreplace").decode()[:LONGEST_RAW]
    if type(value) is dict and len(value) <= len(google.TYPES):
        flat = all(type(each) is str for pair in value.items() for each in pair)
        return _raw(json.dumps(value, sort_keys=True, separators=(",", ":"))) if flat else ""
    return ""


_READERS: Final[tuple[tuple[Source, str, Callable[[Any, Micros], Iterator[Signal]]], ...]] = (
    ("tcf", "tcf", _tcf),
    ("gpp", "gpp", _gpp),
    ("gcm", "googleConsentMode", _gcm),
    ("us_privacy", "usPrivacy", _us_privacy),
)
