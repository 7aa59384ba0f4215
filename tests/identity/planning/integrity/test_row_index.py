"""The rows of a space by number: a contradiction is a discrepancy and takes no part in the other checks."""

from typing import Any

import pytest

from identity.planning.corrections.rebuild import DORMANT
from identity.planning.integrity.discrepancies import Discrepancies
from identity.planning.integrity.row_index import NO_ORIGIN, RowIndex, unpack_counters
from identity.planning.resolution.counters import pack
from identity.planning.resolution.planner_state import Counters
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, Stamp

ONE, TWO, KEY = ProfileId(b"1" * 16), ProfileId(b"2" * 16), BlindIndex(b"k" * 32)


def indexed(*heads: tuple[bytes, bytes, bytes, int]) -> tuple[RowIndex, Discrepancies]:
    """Profiles as (id, head, canonical, created), without identifiers."""
    findings = Discrepancies()
    index = RowIndex(findings)
    for id_, head, canonical, created in heads:
        own = pack(Counters(types={}, live=[], origins=int(head != DORMANT)), lambda _: 1)
        index.read_profile(
            ProfileId(id_), ProfileId(head), ProfileId(canonical), None, None, Stamp(created), Stamp(1), 1, 0, own
        )
    return index, findings


@pytest.mark.parametrize(
    ("heads", "found"),
    [
        ([(ONE, ONE, ONE, 1), (TWO, ONE, TWO, 2)], []),
        ([(ONE, TWO, ONE, 1)], ["head_unknown"]),
        ([(ONE, DORMANT, ONE, 1)], []),
        ([(ONE, TWO, ONE, 1), (TWO, ONE, ONE, 2)], ["head_moved", "canonical_wrong"]),
        ([(ONE, ONE, TWO, 1), (TWO, ONE, TWO, 2)], ["canonical_wrong"]),
    ],
)
def test_pointers_lead_to_a_head_with_the_id_of_its_oldest_origin(heads: list[Any], found: list[str]) -> None:
    """An id left over from a rebuild may point nowhere."""
    index, findings = indexed(*heads)
    index.resolve_pointers()

    assert [each.kind for each in findings] == found


def test_an_identifier_has_one_row_in_each_direction() -> None:
    """A missing, a doubled and an unsealed row are found."""
    index, findings = indexed((ONE, ONE, ONE, 1), (TWO, TWO, TWO, 1))
    index.read_forward(BlindIndex(KEY), ProfileId(ONE))
    index.read_forward(BlindIndex(b"l" * 32), ProfileId(TWO))
    index.read_forward(BlindIndex(b"o" * 32), ProfileId(b"3" * 16))
    index.read_reverse(ProfileId(ONE), BlindIndex(KEY), 1, False, Stamp(1), Micros(1), False)
    index.read_reverse(ProfileId(TWO), BlindIndex(KEY), 1, False, Stamp(1), Micros(1), True)
    index.read_reverse(ProfileId(TWO), BlindIndex(b"m" * 32), 1, False, Stamp(1), Micros(1), True)
    index.resolve_pointers()

    assert {each.kind: each.count for each in findings} == {
        "value_missing": 1, "reverse_elsewhere": 1, "reverse_double": 1, "forward_missing": 1, "reverse_missing": 2,
        "row_orphaned": 1,
    }  # fmt: skip
    assert index.origin[index.keys[b"o" * 32]] == NO_ORIGIN


def test_identifiers_are_grouped_by_the_number_of_their_origin() -> None:
    """An origin without identifiers has an empty group."""
    index, _ = indexed((ONE, ONE, ONE, 1), (TWO, TWO, TWO, 1))
    for key, origin in ((b"a", TWO), (b"b", ONE), (b"c", TWO)):
        index.read_forward(BlindIndex(key * 32), ProfileId(origin))
    import numpy as np

    group = index.group_by(np.array(index.origin))

    assert (group(0), group(1), group(2)) == ([1], [0, 2], [])


def test_counters_that_cannot_be_decoded_are_none() -> None:
    """Damaged rows end no audit."""
    assert unpack_counters(b"\xff") is None
