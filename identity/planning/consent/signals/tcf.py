"""Decodes IAB TCF version 2 strings strictly, and maps them to statements about classes.

Any string of encoding version 2 is decoded. Only service-specific strings of policy version 4 (TCF 2.2) or
later make statements, since the framework declares older and global ones invalid. Those state nothing, so
earlier statements stay in force.

A class is granted if the person consented to every purpose in its row, and denied otherwise, also if a
purpose was not shown. Legitimate interest never grants. Since TCF 2.3 a string lists the vendors that were
disclosed: one that was last updated on 28 February 2026 or later and has no such segment grants nothing. Its
denials count, since the person did not consent.

    ads               1 store or read on the device, 2 select advertising, 3 profiles for advertising,
                      4 use those, 7 measure advertising
    analytics         1, 8 measure content, 9 statistics on audiences, 10 develop services
    personalisation   1, 5 profiles for content, 6 use those, 11 select content

The framework has no purpose for functional use, sale or sensitive data, so a string states nothing about them.
Publisher restrictions name vendors; `allows`, which asks about one vendor, honours them.
"""

from collections.abc import Collection
from typing import Final

from msgspec import Struct

from identity.planning.consent.signals.bits import Bits
from identity.planning.consent.signals.classes import Class
from identity.planning.consent.signals.vendors import Vendors, read_ranges, read_vendors
from identity.values.calls import DAY, MICRO
from identity.values.errors import BadSignal
from identity.values.stamps import Micros

LONGEST: Final = 4096
VERSION: Final = 2
STRICT_POLICY: Final = 4
"""TCF 2.2, the first policy whose strings make statements."""
DISCLOSING_POLICY: Final = 5
"""The first policy that allows nothing to a vendor that was not disclosed."""
DISCLOSING_FROM: Final = 1_772_236_800 * MICRO
"""28 February 2026, from which on a string needs the segment of disclosed vendors (TCF 2.3)."""
FIRST: Final = 1_564_617_600 * MICRO
"""August 2019, the publication of the format: no string is older."""
NOT_ALLOWED, REQUIRE_CONSENT, REQUIRE_INTEREST = range(3)
PURPOSES: Final[dict[Class, frozenset[int]]] = {
    "ads": frozenset({1, 2, 3, 4, 7}),
    "analytics": frozenset({1, 8, 9, 10}),
    "personalisation": frozenset({1, 5, 6, 11}),
}
_NEVER_INTEREST: Final = frozenset({1, 3, 4, 5, 6})
_DECISECOND: Final = MICRO // 10
_RESTRICTION: Final = 20
_DISCLOSED, _ALLOWED, _PUBLISHER = 1, 2, 3


class Restriction(Struct, frozen=True):
    """A restriction that a publisher puts on vendors for one purpose; `kind` is one of the three above."""

    purpose: int
    kind: int
    vendors: Vendors


class Tcf(Struct, frozen=True):
    """A TC string. Times are microseconds; purposes and features are numbered from 1.

    `purposes_li` leaves out the purposes without legitimate interest (1, 3 to 6). `disclosed` is None if the
    string does not list the vendors shown.
    """

    created: int
    last_updated: Micros
    cmp_id: int
    cmp_version: int
    screen: int
    language: str
    vendor_list: int
    policy: int
    service_specific: bool
    non_standard_texts: bool
    special_features: frozenset[int]
    purposes_consent: frozenset[int]
    purposes_li: frozenset[int]
    purpose_one_hidden: bool
    country: str
    vendor_consent: Vendors
    vendor_li: Vendors
    restrictions: tuple[Restriction, ...]
    disclosed: Vendors | None = None


def decode(text: object, now: Micros) -> Tcf:
    """The TC string `text`, which may be up to a day ahead of `now` (microseconds). Raises BadSignal."""
    if type(text) is not str or not 0 < len(text) <= LONGEST:
        raise BadSignal
    core, *rest = text.split(".")
    segments: dict[int, Vendors | None] = {}
    for segment in rest:
        kind, vendors = _segment(Bits(segment))
        if kind in segments:
            raise BadSignal
        segments[kind] = vendors
    return _core(Bits(core), now, segments.get(_DISCLOSED))


def allows(tcf: Tcf, purposes: Collection[int], vendor: int) -> bool:
    """Whether `vendor` has consent for all of `purposes`, of which there is at least one."""
    return (
        is_valid(tcf)
        and bool(purposes)
        and tcf.purposes_consent.issuperset(purposes)
        and vendor in tcf.vendor_consent
        and (vendor in tcf.disclosed if tcf.disclosed is not None else tcf.policy < DISCLOSING_POLICY)
        and not any(
            each.kind != REQUIRE_CONSENT and each.purpose in purposes and vendor in each.vendors
            for each in tcf.restrictions
        )
    )


def statements(tcf: Tcf) -> dict[Class, bool]:
    """The statement about each class in the table above; none if the framework declares the string invalid."""
    if not _is_current(tcf):
        return {}
    valid = is_valid(tcf)
    stated = {name: tcf.purposes_consent >= needed for name, needed in PURPOSES.items()}
    return {name: granted for name, granted in stated.items() if valid or not granted}


def is_valid(tcf: Tcf) -> bool:
    """Whether the framework counts the string as valid: no other string grants."""
    return _is_current(tcf) and (tcf.disclosed is not None or tcf.last_updated < DISCLOSING_FROM)


def read_times(bits: Bits, now: Micros) -> tuple[Micros, Micros]:
    """When a string was created and last updated. Raises BadSignal if that is out of order or over a day ahead."""
    created, updated = bits.take(36) * _DECISECOND, bits.take(36) * _DECISECOND
    if not FIRST <= created <= updated <= now + DAY:
        raise BadSignal
    return Micros(created), Micros(updated)


def _is_current(tcf: Tcf) -> bool:
    return tcf.policy >= STRICT_POLICY and tcf.service_specific


def _core(bits: Bits, now: Micros, disclosed: Vendors | None) -> Tcf:
    if bits.take(6) != VERSION:
        raise BadSignal
    created, updated = read_times(bits, now)
    tcf = Tcf(
        created=created,
        last_updated=updated,
        cmp_id=bits.take(12),
        cmp_version=bits.take(12),
        screen=bits.take(6),
        language=bits.letters(),
        vendor_list=bits.take(12),
        policy=bits.take(6),
        service_specific=bits.flag(),
        non_standard_texts=bits.flag(),
        special_features=bits.ids(12),
        purposes_consent=bits.ids(24),
        purposes_li=bits.ids(24) - _NEVER_INTEREST,
        purpose_one_hidden=bits.flag(),
        country=bits.letters(),
        vendor_consent=read_vendors(bits),
        vendor_li=read_vendors(bits),
        restrictions=_restrictions(bits),
        disclosed=disclosed,
    )
    bits.finish()
    return tcf


def _restrictions(bits: Bits) -> tuple[Restriction, ...]:
    count = bits.take(12)
    if count * _RESTRICTION > bits.left:
        raise BadSignal
    restrictions = []
    for _ in range(count):
        purpose, kind = bits.take(6), bits.take(2)
        if not purpose or kind > REQUIRE_INTEREST:
            raise BadSignal
        restrictions.append(Restriction(purpose, kind, Vendors(ranges=read_ranges(bits))))
    return tuple(restrictions)


def _segment(bits: Bits) -> tuple[int, Vendors | None]:
    """The kind of a segment, and its vendors if any. Permissions of the publisher itself are not kept."""
    kind = bits.take(3)
    vendors = None
    if kind in (_DISCLOSED, _ALLOWED):
        vendors = read_vendors(bits)
    elif kind == _PUBLISHER:
        bits.take(48)
        bits.take(2 * bits.take(6))
    else:
        raise BadSignal
    bits.finish()
    return kind, vendors
