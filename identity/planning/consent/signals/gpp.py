"""Decodes IAB GPP strings of version 1: a header that names the sections, then the sections in that order.

Each section is decoded by itself, so a malformed one never discards an opt-out beside it. A string with a
malformed section, or with other sections than its header names, grants nothing: what cannot be read might have
been a denial. A section with an id without a decoder here is listed as invalid and changes nothing beside it.

    2           TCF Europe, as a TC string by itself; a text that starts with `C` is such a string alone
    5           TCF Canada
    6           US Privacy
    7 to 27     the United States, national and by state
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from identity.planning.consent.signals import tcf, tcf_canada, us_privacy, us_sections
from identity.planning.consent.signals.bits import Bits
from identity.planning.consent.signals.classes import Class, Statements, combine
from identity.values.errors import BadSignal
from identity.values.stamps import Micros

LONGEST: Final = 8192
MOST_SECTIONS: Final = 64
TCFEU, TCFCA, USP = 2, 5, 6
NAMES: Final = {TCFEU: "tcfeuv2", TCFCA: "tcfcav1", USP: "uspv1", **us_sections.NAMES}
_HEADER, _VERSION = 3, 1
_TC_STRING: Final = "C"


class Section(Struct, frozen=True):
    """A section by its id: its text and statements.

    `updated` is when the person last decided (microseconds), for the sections that say so. `opt_out`: the
    denials are opt-outs. `malformed`: the section could not be read whole. `invalid`: the section is malformed,
    not valid under its framework, or of an id without a decoder here.
    """

    id: int
    text: str
    stated: Statements = {}
    updated: Micros | None = None
    opt_out: bool = False
    malformed: bool = False
    invalid: bool = False

    @property
    def name(self) -> str:
        """The name that the framework gives the section; the id of an unknown one."""
        return NAMES.get(self.id, str(self.id))


class Gpp(Struct, frozen=True):
    """The sections in the order of the header. `malformed`: the string has other sections than its header names."""

    sections: tuple[Section, ...]
    malformed: bool = False


def decode(text: object, now: Micros) -> Gpp:
    """The GPP string `text`; `now` as for TCF. Raises BadSignal if its header cannot be read."""
    if type(text) is not str or len(text) > LONGEST:
        raise BadSignal
    header, *parts = text.strip().split("~")
    if header.startswith(_TC_STRING) and not parts:
        return Gpp((_section(TCFEU, header, now),))
    ids = _ids(Bits(header))
    found = [_section(id_, part, now) for id_, part in zip(ids, parts, strict=False)]
    found += [Section(id=id_, text="", malformed=True, invalid=True) for id_ in ids[len(parts) :]]
    malformed = len(ids) != len(parts) or any(each.malformed for each in found)
    if malformed:
        found = [_without_grants(each) for each in found]
    return Gpp(tuple(found), len(ids) != len(parts))


def statements(gpp: Gpp) -> dict[Class, bool]:
    """The combined statements of all sections."""
    return combine(*(each.stated for each in gpp.sections))


def _without_grants(section: Section) -> Section:
    return Section(
        id=section.id,
        text=section.text,
        stated={name: granted for name, granted in section.stated.items() if not granted},
        updated=section.updated,
        opt_out=section.opt_out,
        malformed=section.malformed,
        invalid=section.invalid,
    )


def _section(id_: int, text: str, now: Micros) -> Section:
    if not text:
        return Section(id=id_, text=text, malformed=True, invalid=True)
    read = _us_section if id_ in us_sections.NAMES else _READERS.get(id_)
    if read is None:
        return Section(id=id_, text=text, invalid=True)
    try:
        return read(id_, text, now)
    except BadSignal:
        return Section(id=id_, text=text, malformed=True, invalid=True)


def _europe(id_: int, text: str, now: Micros) -> Section:
    decoded = tcf.decode(text, now)
    return Section(
        id=id_,
        text=text,
        stated=tcf.statements(decoded),
        updated=decoded.last_updated,
        invalid=not tcf.is_valid(decoded),
    )


def _canada(id_: int, text: str, now: Micros) -> Section:
    decoded = tcf_canada.decode(text, now)
    return Section(id=id_, text=text, stated=tcf_canada.statements(decoded), updated=decoded.last_updated)


def _us_privacy(id_: int, text: str, _: Micros) -> Section:
    return Section(id=id_, text=text, stated=us_privacy.statements(us_privacy.decode(text)), opt_out=True)


def _us_section(id_: int, text: str, _: Micros) -> Section:
    decoded = us_sections.decode(id_, text)
    unsound = not decoded.sound
    return Section(
        id=id_, text=text, stated=us_sections.statements(decoded), opt_out=True, malformed=unsound, invalid=unsound
    )


_READERS: Final[dict[int, Callable[[int, str, Micros], Section]]] = {TCFEU: _europe, TCFCA: _canada, USP: _us_privacy}


def _ids(bits: Bits) -> list[int]:
    """The ids that a header names, ascending; bits after them are padding. Raises BadSignal if there are too many."""
    if bits.take(6) != _HEADER or bits.take(6) != _VERSION:
        raise BadSignal
    ids: list[int] = []
    last = 0
    for _ in range(bits.take(12)):
        is_range = bits.flag()
        first = last + bits.fibonacci()
        last = first + bits.fibonacci() if is_range else first
        if len(ids) + last - first >= MOST_SECTIONS:
            raise BadSignal
        ids.extend(range(first, last + 1))
    return ids
