"""An unmerge keeps the join stamps on each side and restores values, retired ids and counters."""

from typing import Any

from identity.planning.resolution.counters import counted
from identity.planning.resolution.merge_limits import Candidate, separated
from identity.values.ids import BlindIndex
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import key_of

USER, OTHER, DEVICE, MAIL = (key_of(*each) for each in (
    ("user_id", "u1"), ("user_id", "u2"), ("anonymous_id", "a1"), ("email", "e@x.org")
))  # fmt: skip


def world(*bodies: dict[str, Any]) -> World:
    """A world after these calls."""
    made = World()
    made.send(bodies, received=2**51)
    return made


def test_the_first_identifier_of_a_profile_can_leave() -> None:
    """The data of the first identifier moves with it, and the staying identifiers keep the profile id."""
    made = world(
        {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"plan": "pro"}},
        {"type": "identify", "anonymousId": "a1", "traits": {"theme": "dark"}},
    )
    id_ = made.view(USER)["profile_id"]
    parting = made.unmerge({USER})
    assert made.view(DEVICE)["profile_id"] == id_
    assert made.view(USER)["traits"] == {"plan": "pro"}
    assert made.view(DEVICE)["traits"] == {"theme": "dark"}
    assert [split.origin for split in parting.splits] == [id_]
    assert made.view(USER)["version"] == made.view(DEVICE)["version"]


def test_a_value_replaced_by_the_other_side_is_current_again() -> None:
    """A value that a call of the other side replaced or outdated is current again."""
    made = world(
        {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"n": "first"}, "timestamp": "2020-01-01"},
        {"type": "identify", "anonymousId": "a1", "traits": {"n": "device"}, "timestamp": "2020-03-01"},
        {"type": "identify", "userId": "u1", "traits": {"n": "late"}, "timestamp": "2020-02-01"},
    )
    assert made.view(USER)["traits"] == {"n": "device"}
    made.unmerge({DEVICE})
    assert made.view(USER)["traits"] == {"n": "late"}
    assert made.view(DEVICE)["traits"] == {"n": "device"}


def test_a_retired_id_counts_again_apart_from_its_new_name() -> None:
    """A retired id counts again on another side than its new name, and stays retired on the same side."""
    for named, lives in (({USER}, True), ({DEVICE}, False)):
        made = world(
            {"type": "identify", "userId": "u1", "anonymousId": "a1"},
            {"type": "alias", "userId": "u2", "previousId": "u1"},
        )
        assert made.gained[USER].retired
        made.unmerge(named)
        assert made.gained[USER].retired is not lives
        root = made.state.root_of(BlindIndex(USER))
        assert root is not None
        assert (USER in root.folded.live) is lives


def test_counters_match_the_identifiers_of_each_side() -> None:
    """Own, folded and cut counters match the identifiers on both sides."""
    made = world({"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"email": "e@x.org"}})
    parting = made.unmerge({DEVICE, MAIL})
    assert counted(parting.staying.folded) == ({"user_id": 1}, [USER])
    assert counted(parting.leaving.folded) == ({"anonymous_id": 1, "email": 1}, [])
    assert parting.cut is not None
    assert parting.staying.folded.cuts == {parting.cut: (1, 0)}
    assert parting.leaving.folded.cuts == {parting.cut: (0, 2)}
    assert separated(Candidate(roots=[parting.staying, parting.leaving]), {})
