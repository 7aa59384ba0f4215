"""TC strings: decoding, their grants, and the malformed ones that are refused."""

import pytest
from hypothesis import given

from identity.planning.consent.signals.tcf import (
    DISCLOSING_FROM,
    FIRST,
    LONGEST,
    NOT_ALLOWED,
    PURPOSES,
    REQUIRE_CONSENT,
    REQUIRE_INTEREST,
    Restriction,
    Tcf,
    allows,
    decode,
    is_valid,
    statements,
)
from identity.planning.consent.signals.vendors import Vendors
from identity.values.calls import DAY, MICRO
from identity.values.errors import BadSignal
from tests.identity.planning.consent.signals.encoding import (
    ALL,
    DECISECOND,
    NOW,
    TCFS,
    core,
    encode,
    granting,
    number,
    text_of,
)

FULL = encode(granting())
BARE = encode(granting(disclosed=None, last_updated=DISCLOSING_FROM - 1))


@given(TCFS)
def test_a_written_string_is_read_back_unchanged(tcf: Tcf) -> None:
    """For any content of the published format."""
    assert decode(encode(tcf), NOW) == tcf


@pytest.mark.parametrize("name", PURPOSES)
def test_a_class_needs_consent_to_all_its_purposes(name: str) -> None:
    """Without any one of them the class is denied."""
    needed = next(purposes for class_, purposes in PURPOSES.items() if class_ == name)
    lacking = [statements(decode(encode(granting(purposes_consent=needed - {each})), NOW)) for each in needed]
    whole = statements(decode(encode(granting(purposes_consent=needed)), NOW))

    assert [dict(each)[name] for each in lacking] == [False] * len(needed)  # type: ignore[index]
    assert {class_ for class_, granted in whole.items() if granted} == {name}


def test_full_consent_grants_three_classes() -> None:
    """Other classes have no statement; full refusal denies the three."""
    assert statements(decode(FULL, NOW)) == {"ads": True, "analytics": True, "personalisation": True}
    refused = decode(encode(granting(purposes_consent=frozenset())), NOW)
    assert statements(refused) == {"ads": False, "analytics": False, "personalisation": False}


def test_legitimate_interest_never_grants() -> None:
    """Purposes 1 and 3 to 6 cannot have any."""
    tcf = decode(encode(granting(purposes_consent=frozenset()), purposes_li="1" * 24), NOW)

    assert set(statements(tcf).values()) == {False}
    assert tcf.purposes_li.isdisjoint({1, 3, 4, 5, 6})
    assert not allows(tcf, {2}, 1)


@pytest.mark.parametrize("changed", [{"policy": 0}, {"policy": 2}, {"policy": 3}, {"service_specific": False}])
def test_a_string_of_an_old_policy_or_global_scope_states_nothing(changed: dict[str, int]) -> None:
    """Such a string is read, but allows nothing."""
    tcf = decode(encode(granting(**changed)), NOW)

    assert (statements(tcf), allows(tcf, {1}, 1)) == ({}, False)


@pytest.mark.parametrize("policy", [4, 5])
@pytest.mark.parametrize(
    ("updated", "disclosed", "grants"),
    [
        (DISCLOSING_FROM - DECISECOND, None, True),
        (DISCLOSING_FROM, None, False),
        (NOW, None, False),
        (DISCLOSING_FROM - DECISECOND, Vendors(9, 0b111), True),
        (DISCLOSING_FROM, Vendors(9, 0b111), True),
        (NOW, Vendors(), True),
    ],
)
def test_a_string_since_tcf_2_3_grants_only_with_its_disclosed_vendors(
    policy: int, updated: int, disclosed: Vendors | None, *, grants: bool
) -> None:
    """By the time in the string, whatever its policy. Denials count without the segment."""
    some = frozenset({1, 8, 9, 10})
    tcf = granting(policy=policy, created=FIRST, last_updated=updated, disclosed=disclosed, purposes_consent=some)
    decoded = decode(encode(tcf), NOW)

    assert statements(decoded) == {"ads": False, "personalisation": False} | ({"analytics": True} if grants else {})
    assert is_valid(decoded) is grants


def restricted(kind: int, purpose: int = 2) -> Tcf:
    """Full consent, with vendors 5 to 9 restricted for a purpose."""
    return decode(encode(granting(restrictions=(Restriction(purpose, kind, Vendors(ranges=((5, 9),))),))), NOW)


@pytest.mark.parametrize(
    ("tcf", "purposes", "vendor", "allowed"),
    [
        (granting(), {1, 2, 3}, 100, True),
        (granting(), {1, 2, 3}, 101, False),
        (granting(), {1, 2, 3}, 0, False),
        (granting(), set(), 100, False),
        (granting(), {1, 12}, 100, False),
        (granting(purposes_consent=ALL - {3}), {1, 2, 3}, 100, False),
        (restricted(NOT_ALLOWED), {1, 2}, 4, True),
        (restricted(NOT_ALLOWED), {1, 2}, 5, False),
        (restricted(NOT_ALLOWED), {1, 3}, 5, True),
        (restricted(REQUIRE_CONSENT), {1, 2}, 5, True),
        (restricted(REQUIRE_INTEREST), {1, 2}, 5, False),
        (granting(disclosed=Vendors(9, 0b111)), {1}, 9, True),
        (granting(disclosed=Vendors(9, 0b111)), {1}, 6, False),
        (granting(policy=5, disclosed=None, last_updated=DISCLOSING_FROM - 1), {1}, 6, False),
        (granting(disclosed=None, last_updated=DISCLOSING_FROM - 1), {1}, 6, True),
        (granting(disclosed=None), {1}, 6, False),
        (granting(policy=5, disclosed=Vendors(9, 0b111)), {1}, 7, True),
    ],
)
def test_a_vendor_needs_purposes_consent_and_disclosure(
    tcf: Tcf, purposes: set[int], vendor: int, *, allowed: bool
) -> None:
    """And no restriction against consent."""
    assert allows(decode(encode(tcf), NOW), purposes, vendor) is allowed


def test_interest_does_not_do_where_a_publisher_requires_consent() -> None:
    """A restriction to consent disregards legitimate interest."""
    kind = Restriction(2, REQUIRE_CONSENT, Vendors(ranges=((5, 9),)))
    tcf = granting(purposes_consent=ALL - {2}, purposes_li=frozenset({2}), restrictions=(kind,))

    assert not allows(decode(encode(tcf), NOW), {2}, 5)


BAD_CORES = {
    "version 1": {"version": number(1, 6)},
    "version 3": {"version": number(3, 6)},
    "never made": {"created": number(0, 36)},
    "made before there were any": {"created": number((FIRST - MICRO) // (MICRO // 10), 36)},
    "changed before it was made": {"created": number((NOW + MICRO) // (MICRO // 10), 36)},
    "from the future": {"last_updated": number((NOW + DAY + MICRO) // (MICRO // 10), 36)},
    "no language": {"language": number(26, 6) + number(0, 6)},
    "no country": {"country": number(0, 6) + number(63, 6)},
    "vendor 0": {"vendor_consent": number(9, 16) + "1" + number(1, 12) + "0" + number(0, 16)},
    "range backwards": {"vendor_consent": number(9, 16) + "1" + number(1, 12) + "1" + number(5, 16) + number(4, 16)},
    "range beyond the top": {"vendor_li": number(9, 16) + "1" + number(1, 12) + "1" + number(5, 16) + number(10, 16)},
    "vendor beyond the top": {"vendor_li": number(9, 16) + "1" + number(1, 12) + "0" + number(10, 16)},
    "more ranges than there is room": {"vendor_consent": number(65_535, 16) + "1" + number(4095, 12)},
    "more bits than there is room": {"vendor_consent": number(65_535, 16) + "0"},
    "restriction of purpose 0": {"restrictions": number(1, 12) + number(0, 6) + "00" + number(0, 12)},
    "restriction of no kind": {"restrictions": number(1, 12) + number(1, 6) + "11" + number(0, 12)},
    "restrictions missing": {"restrictions": ""},
    "restrictions cut": {"restrictions": number(2, 12) + number(1, 6) + "00" + number(0, 12)},
    "something behind": {"restrictions": number(0, 12) + "0" * 90 + "1"},
}


@pytest.mark.parametrize("name", BAD_CORES)
def test_a_malformed_core_is_refused(name: str) -> None:
    """With any one of these faults."""
    with pytest.raises(BadSignal):
        decode(encode(granting(), **BAD_CORES[name]), NOW)


VENDORS = number(3, 16) + "0111"
PUBLISHER = "011" + "1" * 48 + number(2, 6) + "1111"


@pytest.mark.parametrize("segments", [["001" + VENDORS], ["010" + VENDORS], [PUBLISHER], [PUBLISHER, "001" + VENDORS]])
def test_segments_follow_in_any_order(segments: list[str]) -> None:
    """They do not change the statements of the core."""
    assert statements(decode(".".join([BARE, *map(text_of, segments)]), NOW)) == statements(decode(BARE, NOW))


@pytest.mark.parametrize(
    "segments",
    [
        ["000" + VENDORS], ["100" + VENDORS], ["111"], ["001"], ["001" + VENDORS + "0001"], [PUBLISHER[:-1]],
        [PUBLISHER, PUBLISHER], ["001" + VENDORS, PUBLISHER, "001" + VENDORS], [core(granting())],
    ],
)  # fmt: skip
def test_a_malformed_segment_is_refused(segments: list[str]) -> None:
    """Unknown, cut, repeated or too long."""
    with pytest.raises(BadSignal):
        decode(".".join([BARE, *map(text_of, segments)]), NOW)


@pytest.mark.parametrize(
    "value",
    [
        "", ".", "..", "!!!!", FULL + ".", "." + FULL, FULL + "=", FULL + " ", "\n" + FULL, FULL[:-1] + "/",
        FULL[:9] + "\u00c5" + FULL[10:], FULL[:9] + "\ud800" + FULL[10:], FULL[:9] + "\0" + FULL[10:],
        FULL + "A" * (LONGEST + 1 - len(FULL)), "C" * 1_000_000, "BObdrPUOevsguAfDqFENCNAAAAAmeAAA",
        FULL.encode(), bytearray(FULL.encode()), None, True, 2, 2.0, [], {}, object(), FULL.split(),
        type("Str", (str,), {})(FULL),
    ],
    ids=lambda value: str(type(value)),
)  # fmt: skip
def test_a_value_that_is_no_tc_string_is_refused(value: object) -> None:
    """With BadSignal and no other error."""
    with pytest.raises(BadSignal):
        decode(value, NOW)


def test_zeros_behind_a_string_are_padding() -> None:
    """Up to 4 KiB in all."""
    assert decode(FULL + "A" * (LONGEST - len(FULL)), NOW) == granting()
