"""Writes TC and GPP strings by the published formats, without the decoders under test.

Bits are text of `0` and `1` here, so the writer shares no code with the reader.
"""

import string
from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import strategies as st

from identity.planning.consent.signals.tcf import FIRST, Restriction, Tcf
from identity.planning.consent.signals.vendors import Vendors
from identity.values.calls import DAY, MICRO
from identity.values.stamps import Micros

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
SIX = {each: f"{at:06b}" for at, each in enumerate(ALPHABET)}
NOW = Micros(1_790_000_000 * MICRO)
DECISECOND = MICRO // 10
ALL = frozenset(range(1, 12))


def text_of(bits: str) -> str:
    """Base64url of bits, padded with zeros to a whole character."""
    bits += "0" * (-len(bits) % 6)
    return "".join(ALPHABET[int(bits[at : at + 6], 2)] for at in range(0, len(bits), 6))


def bits_of(text: str) -> str:
    """The inverse of `text_of`."""
    return "".join(map(SIX.__getitem__, text))


def number(value: int, size: int) -> str:
    """A number in `size` bits."""
    written = f"{value:0{size}b}"
    assert len(written) == size
    return written


def field(ids: Iterable[int], size: int) -> str:
    """One bit for each id."""
    held = set(ids)
    return "".join("01"[id_ in held] for id_ in range(1, size + 1))


def letters(pair: str) -> str:
    """Two letters."""
    return "".join(number(ord(each) - ord("A"), 6) for each in pair)


def ranges(pairs: Iterable[tuple[int, int]]) -> str:
    """A list of ranges; a single id has the short form."""
    listed = list(pairs)
    body = "".join(
        "0" + number(first, 16) if first == last else "1" + number(first, 16) + number(last, 16)
        for first, last in listed
    )
    return number(len(listed), 12) + body


def vendors(held: Vendors) -> str:
    """A set of vendors in the form that its value has."""
    if held.ranges:
        return number(held.top, 16) + "1" + ranges(held.ranges)
    return number(held.top, 16) + "0" + (number(held.bits, held.top) if held.top else "")


def core(tcf: Tcf, **raw: Any) -> str:
    """The bits of a core; `raw` replaces fields by other bits."""
    parts: dict[str, str] = {
        "version": number(2, 6),
        "created": number(tcf.created // DECISECOND, 36),
        "last_updated": number(tcf.last_updated // DECISECOND, 36),
        "cmp": number(tcf.cmp_id, 12) + number(tcf.cmp_version, 12) + number(tcf.screen, 6),
        "language": letters(tcf.language),
        "vendor_list": number(tcf.vendor_list, 12),
        "policy": number(tcf.policy, 6),
        "flags": field([1] * tcf.service_specific + [2] * tcf.non_standard_texts, 2),
        "special_features": field(tcf.special_features, 12),
        "purposes_consent": field(tcf.purposes_consent, 24),
        "purposes_li": field(tcf.purposes_li, 24),
        "purpose_one": str(int(tcf.purpose_one_hidden)),
        "country": letters(tcf.country),
        "vendor_consent": vendors(tcf.vendor_consent),
        "vendor_li": vendors(tcf.vendor_li),
        "restrictions": number(len(tcf.restrictions), 12)
        + "".join(number(r.purpose, 6) + number(r.kind, 2) + ranges(r.vendors.ranges) for r in tcf.restrictions),
    }
    assert raw.keys() <= parts.keys()
    return "".join((parts | raw).values())


def encode(tcf: Tcf, **raw: Any) -> str:
    """A TC string, with its segment of disclosed vendors if it has one."""
    disclosed = [] if tcf.disclosed is None else [text_of("001" + vendors(tcf.disclosed))]
    return ".".join([text_of(core(tcf, **raw)), *disclosed])


def granting(**changed: Any) -> Tcf:
    """A string of today that consents to everything for vendors 1 to 100."""
    plain: dict[str, Any] = {
        "created": FIRST, "last_updated": NOW, "cmp_id": 31, "cmp_version": 2, "screen": 1, "language": "EN",
        "vendor_list": 126, "policy": 4, "service_specific": True, "non_standard_texts": False,
        "special_features": frozenset(), "purposes_consent": ALL, "purposes_li": frozenset(),
        "purpose_one_hidden": False, "country": "DE", "vendor_consent": Vendors(100, 0, ((1, 100),)),
        "vendor_li": Vendors(), "restrictions": (), "disclosed": Vendors(100, 0, ((1, 100),)),
    }  # fmt: skip
    return Tcf(**plain | changed)


def fibonacci(value: int) -> str:
    """The code word of a number from 1."""
    weights = [1, 2]
    while weights[-1] <= value:
        weights.append(weights[-2] + weights[-1])
    word = ""
    for weight in reversed(weights):
        taken = weight <= value
        value -= weight * taken
        word = "01"[taken] + word
    return word.rstrip("0") + "1"


def header(items: Iterable[tuple[int, int]], *, kind: int = 3, version: int = 1) -> str:
    """The header of a GPP string for ascending ranges of section ids."""
    listed, last, body = list(items), 0, ""
    for first, end in listed:
        body += "01"[end > first] + fibonacci(first - last) + (fibonacci(end - first) if end > first else "")
        last = end
    return text_of(number(kind, 6) + number(version, 6) + number(len(listed), 12) + body)


def _spans(draw: Callable[..., Any], top: int, least: int) -> tuple[tuple[int, int], ...]:
    pairs = st.tuples(st.integers(1, top), st.integers(1, top)).map(lambda pair: (min(pair), max(pair)))
    return tuple(draw(st.lists(pairs, min_size=least, max_size=5)))


@st.composite
def sets_of_vendors(draw: Callable[..., Any]) -> Vendors:
    """Sets in either form; empty sets only as bits."""
    if draw(st.booleans()):
        top = draw(st.integers(1, 65_535))
        return Vendors(top, 0, _spans(draw, top, 1))
    top = draw(st.integers(0, 300))
    return Vendors(top, draw(st.integers(0, 2**top - 1)))


@st.composite
def restrictions(draw: Callable[..., Any]) -> Restriction:
    """A restriction by a publisher."""
    purpose, kind = draw(st.integers(1, 24)), draw(st.integers(0, 2))
    return Restriction(purpose, kind, Vendors(ranges=_spans(draw, 65_535, 0)))


PAIRS = st.text(string.ascii_uppercase, min_size=2, max_size=2)
TCFS = st.builds(
    Tcf,
    created=st.integers(FIRST // DECISECOND, NOW // DECISECOND).map(lambda at: at * DECISECOND),
    last_updated=st.integers(NOW // DECISECOND, (NOW + DAY) // DECISECOND).map(lambda at: at * DECISECOND),
    cmp_id=st.integers(0, 4095),
    cmp_version=st.integers(0, 4095),
    screen=st.integers(0, 63),
    language=PAIRS,
    vendor_list=st.integers(0, 4095),
    policy=st.integers(0, 63),
    service_specific=st.booleans(),
    non_standard_texts=st.booleans(),
    special_features=st.frozensets(st.integers(1, 12)),
    purposes_consent=st.frozensets(st.integers(1, 24)),
    purposes_li=st.frozensets(st.sampled_from([2, *range(7, 25)])),
    purpose_one_hidden=st.booleans(),
    country=PAIRS,
    vendor_consent=sets_of_vendors(),
    vendor_li=sets_of_vendors(),
    restrictions=st.lists(restrictions(), max_size=4).map(tuple),
    disclosed=st.none() | sets_of_vendors(),
)
