"""The snapshot of a profile: its counters follow from its identifiers."""

from identity.planning.corrections.profile_snapshot import SnapshotIdentifier, folded_counters, own_counters, shown
from identity.planning.resolution.counters import counted
from identity.planning.resolution.planner_state import Counters, Profile, Window
from identity.planning.resolution.resolution_rules import compile_rules
from identity.values.ids import BlindIndex, ProfileId
from identity.values.stamps import Micros, Stamp

ONE, TWO = ProfileId(b"1" * 16), ProfileId(b"2" * 16)
RULES = compile_rules({"limits": {"email": {"max": 1, "days": 7}}}, 1)


def link(key: bytes, type_: str, origin: bytes, seen: int = 0, *, retired: bool = False) -> SnapshotIdentifier:
    """A stored link."""
    return SnapshotIdentifier(
        key=BlindIndex(key),
        type=type_,
        origin=ProfileId(origin),
        retired=retired,
        linked_at=Stamp(1),
        first_seen=Micros(0),
        last_seen=Micros(seen),
        source=1,
    )


LINKS = {
    each.key: each
    for each in (
        link(b"a", "user_id", ONE),
        link(b"b", "user_id", TWO, retired=True),
        link(b"c", "email", ONE, 3),
        link(b"d", "email", TWO, 9),
        link(b"e", "email", TWO, 5),
    )
}


def profile(id_: bytes) -> Profile:
    """An origin with counters that are wrong, as before a correction."""
    wrong = Counters(types={"email": 7}, live=[BlindIndex(b"x")])
    return Profile(
        id=ProfileId(id_),
        created=Stamp(1),
        root=ProfileId(ONE),
        canonical=ProfileId(ONE),
        oldest_birth=Stamp(1),
        own=wrong,
        folded=wrong,
    )


def test_counters_follow_from_the_identifiers_alone() -> None:
    """A retired id does not count, and a window holds the newest of all origins."""
    owns = own_counters(LINKS, {ProfileId(id_): profile(id_) for id_ in (ONE, TWO)}, ())
    folded = folded_counters(owns, LINKS, {BlindIndex(b"a"): [(b"cut", 0)], BlindIndex(b"d"): [(b"cut", 1)]}, RULES)

    assert counted(owns[ProfileId(ONE)]) == ({"user_id": 1, "email": 1}, [b"a"])
    assert counted(owns[ProfileId(TWO)]) == ({"email": 2}, [])
    assert (counted(folded), folded.origins) == (({"user_id": 1, "email": 3}, [b"a"]), 2)
    assert folded.windows == {"email": Window(2, {BlindIndex(b"d"): 9, BlindIndex(b"e"): 5})}
    assert folded.cuts == {b"cut": (1, 1)}


def test_identifiers_of_other_origins_do_not_count() -> None:
    """A side has the counters of its own origins."""
    owns = own_counters(LINKS, {ProfileId(ONE): profile(ONE), ProfileId(TWO): profile(TWO)}, ())
    side = folded_counters({ONE: owns[ProfileId(ONE)]}, LINKS, {BlindIndex(b"d"): [(b"cut", 1)]}, RULES)

    assert (counted(side), side.cuts) == (({"user_id": 1, "email": 1}, [b"a"]), {})


def test_a_blocked_identifier_is_no_part_of_a_set() -> None:
    """It belongs to no person; another demoted one was seen together with the rest."""
    assert shown([BlindIndex(b"a")], [(BlindIndex(b"b"), "blocked"), (BlindIndex(b"c"), "limit:email")]) == [b"a", b"c"]
