"""Decodes IAB GPP strings of version 1: a header that names the sections, then the sections in that order.

Sections 2 (TCF), 6 (US Privacy), 7 (US national) and 8 (California) are decoded; a malformed one invalidates
the whole string. Other sections are kept as text and state nothing.
"""

import re
from typing import Final

from msgspec import Struct

from identity.planning.consent.signals import tcf, us_privacy, us_sections
from identity.planning.consent.signals.bits import Bits
from identity.planning.consent.signals.classes import Class, combine
from identity.planning.consent.signals.tcf import Tcf
from identity.planning.consent.signals.us_privacy import UsPrivacy
from identity.planning.consent.signals.us_sections import UsSection
from identity.values.errors import BadSignal

LONGEST: Final = 8192
TCFEU, USP, USNAT, USCA = 2, 6, 7, 8
_HEADER, _VERSION = 3, 1
_CHARACTERS: Final = re.compile(r"[A-Za-z0-9._~-]+")


class Gpp(Struct, frozen=True):
    """The sections; None where the string has no such section. `others` maps ids of undecoded ones to their text."""

    sections: tuple[int, ...]
    tcf: Tcf | None = None
    us_privacy: UsPrivacy | None = None
    usnat: UsSection | None = None
    usca: UsSection | None = None
    others: dict[int, str] = {}


def decode(text: object, now: int) -> Gpp:
    """The GPP string `text`; `now` as for TCF. Raises BadSignal."""
    if type(text) is not str or len(text) > LONGEST or not _CHARACTERS.fullmatch(text):
        raise BadSignal
    header, *parts = text.split("~")
    sections = _sections(Bits(header), len(parts))
    found = dict(zip(sections, parts, strict=True))
    if not all(found.values()):
        raise BadSignal
    taken = {id_: found.pop(id_, None) for id_ in (TCFEU, USP, USNAT, USCA)}
    return Gpp(
        sections,
        None if (part := taken[TCFEU]) is None else tcf.decode(part, now),
        None if (part := taken[USP]) is None else us_privacy.decode(part),
        None if (part := taken[USNAT]) is None else us_sections.decode_usnat(part),
        None if (part := taken[USCA]) is None else us_sections.decode_usca(part),
        found,
    )


def statements(gpp: Gpp) -> dict[Class, bool]:
    """The combined statements of all sections."""
    return combine(
        tcf.statements(gpp.tcf) if gpp.tcf else {},
        us_privacy.statements(gpp.us_privacy) if gpp.us_privacy else {},
        us_sections.statements(gpp.usnat) if gpp.usnat else {},
        us_sections.statements(gpp.usca) if gpp.usca else {},
    )


def _sections(bits: Bits, expected: int) -> tuple[int, ...]:
    """The ids of the `expected` sections, ascending; a range that would exceed this number is never expanded."""
    if bits.take(6) != _HEADER or bits.take(6) != _VERSION:
        raise BadSignal
    ids: list[int] = []
    last = 0
    for _ in range(bits.take(12)):
        is_range = bits.flag()
        first = last + bits.fibonacci()
        last = first + bits.fibonacci() if is_range else first
        if len(ids) + last - first >= expected:
            raise BadSignal
        ids.extend(range(first, last + 1))
    if len(ids) != expected:
        raise BadSignal
    bits.finish()
    return tuple(ids)
