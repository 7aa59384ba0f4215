"""Sets of vendors: a bit field or ranges, asked without expanding them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.consent.signals.bits import Bits
from identity.planning.consent.signals.tcf import (
    Tcf,
)
from identity.planning.consent.signals.vendors import read_ranges
from identity.values.errors import BadSignal
from tests.identity.planning.consent.signals.encoding import (
    TCFS,
    number,
    ranges,
    text_of,
)


@given(TCFS, st.integers(0, 70_000))
def test_a_vendor_is_in_a_set_by_its_bit_or_a_range(tcf: Tcf, vendor: int) -> None:
    """And otherwise not."""
    held = tcf.vendor_consent
    bit = 1 <= vendor <= held.top and f"{held.bits:0{held.top}b}"[vendor - 1] == "1"

    assert (vendor in held) == (bit or any(vendor in range(a, b + 1) for a, b in held.ranges))


@pytest.mark.parametrize(
    ("pairs", "good"),
    [([(1, 1)], True), ([(2, 9), (1, 3)], True), ([(0, 0)], False), ([(5, 4)], False), ([(1, 10)], False)],
)
def test_a_range_ends_within_the_set_and_after_its_start(pairs: list[tuple[int, int]], good: bool) -> None:  # noqa: FBT001
    """Ranges may overlap and have any order."""
    bits = Bits(text_of(ranges(pairs)))
    if good:
        assert read_ranges(bits, 9) == tuple(pairs)
    else:
        with pytest.raises(BadSignal):
            read_ranges(bits, 9)


def test_a_count_without_room_for_its_ranges_is_refused_before_reading() -> None:
    """A string costs no more than its length."""
    bits = Bits(text_of(number(4095, 12) + ranges([(1, 1)])[12:]))
    with pytest.raises(BadSignal):
        read_ranges(bits)

    assert bits.at == 12
