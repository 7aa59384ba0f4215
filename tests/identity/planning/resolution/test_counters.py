"""Counters of identifiers: own counters add up to the folded ones, and windows hold the newest."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.resolution import counters
from identity.planning.resolution.counters import (
    attach,
    count_within,
    counted,
    detach,
    fit_windows,
    mark_seen,
    missing_windows,
    newest_window,
    same,
    uncut,
    unite,
)
from identity.planning.resolution.planner_state import Counters, Window
from identity.planning.resolution.resolution_rules import DEFAULT_RULES, compile_rules
from identity.values.ids import BlindIndex
from identity.values.stamps import Micros

RULES = compile_rules({"limits": {"device": {"max": 2, "days": 7}}}, 1)
KEYS = [BlindIndex(bytes((number,)) * 32) for number in range(6)]


def counting(*types: str) -> Counters:
    """Counters of identifiers of these types, one key each."""
    made = Counters(types={}, live=[])
    for key, type_ in zip(KEYS, types, strict=False):
        attach(made, BlindIndex(key), type_)
    return made


def test_what_is_detached_no_longer_counts() -> None:
    """A type without identifiers equals one that never had any."""
    made = counting("user_id", "email")
    detach(made, BlindIndex(KEYS[0]), "user_id")

    assert counted(made) == counted(counting("email")) or counted(made) == ({"email": 1}, [])
    assert (made.total, made.live) == (1, [])


def test_own_counters_add_up() -> None:
    """Origins, types, user ids and cuts of two roots."""
    left, right = counting("user_id", "email"), counting("user_id")
    left.cuts, right.cuts = {b"c": (1, 0)}, {b"c": (1, 2), b"d": (0, 1)}
    unite(left, right)

    assert (left.types, left.origins, left.live) == ({"user_id": 2, "email": 1}, 2, [KEYS[0], KEYS[0]])
    assert left.cuts == {b"c": (2, 2), b"d": (0, 1)}
    uncut(left, [(b"c", 0), (b"d", 1)])
    assert left.cuts == {b"c": (1, 2)}


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 20)), max_size=12), st.integers(1, 4))
def test_a_window_holds_the_newest_of_all_that_were_seen(seen: list[tuple[BlindIndex, int]], size: int) -> None:
    """One by one or all at once; of equal times the greater key is the newer."""
    made = Counters(types={"device": 6}, live=[], windows={"device": Window(size, {})})
    last: dict[BlindIndex, int] = {}
    for key, time in seen:
        mark_seen(made, key, "device", Micros(time))
        last[key] = max(time, last.get(key, time))

    assert made.windows["device"].seen == newest_window(last, size).seen


def test_a_full_window_without_one_of_its_identifiers_is_exact_for_fewer() -> None:
    """The next older one is unknown, so a scan has to build the window again."""
    made = Counters(types={"device": 4}, live=[], windows={"device": Window(3, dict.fromkeys(KEYS[:3], 1))})
    assert missing_windows(made, RULES) == []
    detach(made, BlindIndex(KEYS[0]), "device")

    assert made.windows["device"].size == 2
    assert missing_windows(made, RULES) == ["device"]


def test_only_identifiers_within_the_days_count() -> None:
    """Those that the call itself names count in any case, and once."""
    made = Counters(
        types={"device": 3}, live=[], windows={"device": Window(3, {BlindIndex(KEYS[0]): 1, BlindIndex(KEYS[1]): 9})}
    )

    assert count_within(made, "device", 5, set()) == 1
    assert count_within(made, "device", 5, {BlindIndex(KEYS[0]), BlindIndex(KEYS[1])}) == 2


def test_windows_follow_the_rules() -> None:
    """An empty type gets one, and a window that no rule asks for goes."""
    made = Counters(types={}, live=[], windows={"email": Window(1, {})})
    fit_windows(made, RULES)
    assert made.windows == {"device": Window(3, {})}
    fit_windows(made, DEFAULT_RULES)
    assert made.windows == {}


def test_packed_counters_name_types_by_number() -> None:
    """A type may be personal data, and an empty window may have a type without a number."""
    made = counting("user_id", "email")
    made.windows = {"email": Window(2, {BlindIndex(KEYS[1]): 4}), "none": Window(2, {})}
    packed = counters.pack(made, {"user_id": 1, "email": 2}.__getitem__)
    back = counters.unpack(packed, {1: "user_id", 2: "email"})

    assert b"email" not in packed
    assert (counted(back), back.windows) == (counted(made), {"email": made.windows["email"]})


def test_links_that_wait_for_proof_are_counted_with_their_type() -> None:
    """A type is proven as soon as one link of it is; a packed row from before has none that waits."""
    made = Counters(types={}, live=[])
    counters.attach(made, KEYS[0], "email", unproven=True)
    assert not made.proven("email")
    counters.attach(made, KEYS[1], "email")
    assert made.proven("email")
    assert not made.proven("phone")
    back = counters.unpack(counters.pack(made, {"email": 2}.__getitem__), {2: "email"})
    assert (back, counters.copy(made), counters.copy_of(made)) == (made, made, made)
    both = counters.copy_of(made)
    counters.unite(both, Counters(types={"phone": 1}, live=[], unproven={KEYS[2]: "phone"}))
    assert both.unproven == {KEYS[0]: "email", KEYS[2]: "phone"}
    detach(made, KEYS[0], "email")
    assert (made.unproven, made.types) == ({}, {"email": 1})
    assert counters.unproven_keys(counters.pack(both, {"email": 2, "phone": 3}.__getitem__)) == {KEYS[0], KEYS[2]}
    before = msgspec.msgpack.encode([{2: 1}, [], 1, {}, {}])
    assert counters.unpack(before, {2: "email"}) == Counters(types={"email": 1}, live=[])


def test_a_root_alone_needs_no_folded_counters() -> None:
    """A second origin, a window, a cut or another link that waits for proof does."""
    own = counting("user_id")
    assert same(counters.copy(own), own)
    for changed in (
        {"origins": 2},
        {"cuts": {b"c": (1, 0)}},
        {"unproven": {KEYS[0]: "email"}},
        {"windows": {"email": Window(1, {})}},
    ):
        folded = counters.copy_of(own)
        for name, value in changed.items():
            setattr(folded, name, value)
        assert not same(folded, own)
