"""Stored calls: what is packed is read again, and the numbers of reasons never change."""

from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution.resolution_rules import DEFAULT_RULES
from identity.planning.resolution.stored_calls import (
    REASONS,
    pack,
    pack_demoted,
    pack_events,
    source,
    split_keys,
    stored_call,
    unpack,
    unpack_demoted,
    unpack_events,
)
from identity.values.calls import Call
from identity.values.ids import BlindIndex
from identity.values.stamps import Stamp
from tests.support.planning.read_calls import SERVER, read

KEYS = st.binary(min_size=32, max_size=32).map(BlindIndex)
TYPES = {"email": 2, "device": 300}


def call() -> Call:
    """A call with a body of its own."""
    made = read({"type": "identify", "userId": "u1", "traits": {"a": [1, None]}}, DEFAULT_RULES, 7)
    assert isinstance(made, Call)
    return made


def test_a_stored_call_is_read_back_with_its_whole_body() -> None:
    """Alone, and among the plain calls of a batch with their stamps."""
    one = call()

    assert unpack(pack(one)) == stored_call(one)
    assert unpack_events(pack_events([(Stamp(5), one), (Stamp(6), one)])) == [
        (5, stored_call(one)),
        (6, stored_call(one)),
    ]
    assert source(stored_call(one)) == SERVER


@given(st.lists(st.tuples(KEYS, st.sampled_from(["blocked", "limit:email", "limit:device", "separated"])), max_size=4))
def test_demoted_identifiers_are_read_back_with_their_reasons(demoted: list[tuple[BlindIndex, str]]) -> None:
    """A limit names the type that it is of, by its number."""
    names = {number: name for name, number in TYPES.items()}

    assert list(unpack_demoted(pack_demoted(demoted, TYPES), names.__getitem__)) == demoted


@given(st.lists(KEYS, max_size=5))
def test_joined_keys_are_split(keys: list[bytes]) -> None:
    """Each has 32 bytes."""
    assert split_keys(b"".join(keys)) == keys


def test_the_stored_number_of_a_reason_never_changes() -> None:
    """Rows hold these numbers: append only."""
    assert list(REASONS.items()) == [
        ("limit", 1), ("max_identifiers", 2), ("max_merges", 3), ("separated", 4), ("blocked", 5), ("bad_type", 6),
        ("alias_both_known", 7), ("alias_needs_server_key", 8), ("needs_proof", 9), ("under_hold", 10),
    ]  # fmt: skip
