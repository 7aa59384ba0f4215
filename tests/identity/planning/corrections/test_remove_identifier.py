"""The removal of an identifier forgets the identifier and keeps its data and the merges through it."""

from typing import Any

from identity.planning.corrections.remove_identifier import plan_removal
from identity.planning.resolution.counters import counted
from identity.values.enums import FeedOperation, HistoryKind
from identity.values.ids import BlindIndex
from identity.values.stamps import Stamp
from tests.support.planning.oracle import World
from tests.support.planning.read_calls import key_of

USER, DEVICE, MAIL = (
    key_of(*each) for each in (("user_id", "u1"), ("anonymous_id", "a1"), ("email", "e@x.org"))
)  # fmt: skip
MERGING: list[dict[str, Any]] = [
    {"type": "identify", "userId": "u1", "traits": {"plan": "pro"}},
    {"type": "identify", "anonymousId": "a1", "traits": {"theme": "dark"}},
    {"type": "identify", "userId": "u1", "anonymousId": "a1", "context": {"traits": {"email": "e@x.org"}}},
]


def test_only_the_counters_and_the_version_change() -> None:
    """The profile stays one, with all its traits; destinations hear of one change."""
    world = World()
    world.send(MERGING)
    before = world.view(USER)
    removal = world.remove(DEVICE)
    after = world.view(USER)

    assert (after["traits"], after["profile_id"]) == (before["traits"], before["profile_id"])
    assert after["identifiers"] == ["email:e@x.org", "user_id:u1"]
    assert after["version"] == before["version"] + 1
    assert counted(removal.root.folded) == ({"user_id": 1, "email": 1}, [USER])
    assert (removal.change.op, removal.change.profile) == (FeedOperation.UPSERT, before["profile_id"])
    assert (removal.note.kind, removal.note.keys) == (HistoryKind.IDENTIFIER_REMOVED, [DEVICE])


def test_a_cut_stays_with_the_identifiers_that_are_left() -> None:
    """The side loses one of them, and the other side keeps the cut."""
    world = World()
    world.send(MERGING)
    parting = world.unmerge({DEVICE})
    assert parting.cut is not None
    removal = world.remove(MAIL)

    assert removal.root.folded.cuts == {parting.cut: (1, 0)}
    assert world.state.root_of(BlindIndex(DEVICE)).folded.cuts == {parting.cut: (0, 1)}  # type: ignore[union-attr]


def test_a_plan_changes_no_profile_of_its_snapshot() -> None:
    """A transaction that is tried again plans on the same values."""
    world = World()
    world.send(MERGING)
    snapshot = world.whole(USER)
    before = {id_: counted(profile.folded) for id_, profile in snapshot.profiles.items()}
    first = plan_removal(snapshot, BlindIndex(MAIL), lambda after: Stamp(after + 1))
    again = plan_removal(snapshot, BlindIndex(MAIL), lambda after: Stamp(after + 1))

    assert {id_: counted(profile.folded) for id_, profile in snapshot.profiles.items()} == before
    assert (again.stamp, again.root) == (first.stamp, first.root)
