"""Decodes the US sections of a GPP string, national (`usnat`) and Californian (`usca`), which never grant.

"Did not opt out" is no consent, and "does not apply" states nothing. For a known child the two sections
number the answers the other way round, so any answer denies: consent for a child has to be recorded as such,
not inferred from a string.

Version 1 of `usnat` is in use with two layouts, distinguished by length; both have the opt-outs in the same
place.
"""

from typing import Final

from msgspec import Struct

from identity.planning.consent.signals.bits import Bits
from identity.planning.consent.signals.classes import OPT_OUT, Class, Statements, combine
from identity.values.errors import BadSignal

OPTED_OUT: Final = 1
NO_CONSENT: Final = 1
_CHILD: Final[Statements] = {"ads": False, "sale_share": False, "sensitive": False}
_GPC: Final = 1
_SEGMENTS: Final = 2
_WIDE: Final = 70
"""The bits of a national core with 16 kinds of sensitive data and 3 of children; it has 12 and 2 in fewer."""


class UsSection(Struct, frozen=True):
    """The answers, each a number from 0 (does not apply) to 2; `advertising` is national only.

    `sensitive` and `child` have an answer for each kind of data or age. `gpc` is None without its segment.
    """

    version: int
    sale: int
    sharing: int
    advertising: int
    sensitive: tuple[int, ...]
    child: tuple[int, ...]
    gpc: bool | None = None


def decode_usnat(text: str) -> UsSection:
    """Section 7. Raises BadSignal."""
    bits, gpc = _parts(text)
    version = bits.take(6)
    if version not in (1, 2):
        raise BadSignal
    wide = version > 1 or bits.size >= _WIDE
    _answers(bits, 6)
    sale, sharing, advertising = _answers(bits, 3)
    sensitive, child = _answers(bits, 16 if wide else 12), _answers(bits, 3 if wide else 2)
    _answers(bits, 4)
    bits.finish()
    return UsSection(version, sale, sharing, advertising, sensitive, child, gpc)


def decode_usca(text: str) -> UsSection:
    """Section 8. Raises BadSignal."""
    bits, gpc = _parts(text)
    version = bits.take(6)
    if version != 1:
        raise BadSignal
    _answers(bits, 3)
    sale, sharing = _answers(bits, 2)
    sensitive, child = _answers(bits, 9), _answers(bits, 2)
    _answers(bits, 4)
    bits.finish()
    return UsSection(version, sale, sharing, 0, sensitive, child, gpc)


def statements(section: UsSection) -> dict[Class, bool]:
    """The denials. An opt-out of sale, sharing or targeted advertising denies all classes of OPT_OUT."""
    denials: list[Statements] = []
    if OPTED_OUT in (section.sale, section.sharing, section.advertising) or section.gpc:
        denials.append(OPT_OUT)
    if NO_CONSENT in section.sensitive:
        denials.append({"sensitive": False})
    if any(section.child):
        denials.append(_CHILD)
    return combine(*denials)


def _answers(bits: Bits, count: int) -> tuple[int, ...]:
    answers = tuple(bits.take(2) for _ in range(count))
    if 3 in answers:  # noqa: PLR2004 (the one value of two bits that has no meaning)
        raise BadSignal
    return answers


def _parts(text: str) -> tuple[Bits, bool | None]:
    """The core, and the value of the GPC segment if there is one."""
    core, *rest = text.split(".", _SEGMENTS)
    if len(rest) >= _SEGMENTS:
        raise BadSignal
    gpc = None
    for each in rest:
        bits = Bits(each)
        if bits.take(2) != _GPC:
            raise BadSignal
        gpc = bits.flag()
        bits.finish()
    return Bits(core), gpc
