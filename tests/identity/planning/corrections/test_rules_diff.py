"""The differences that other rules would make: profiles that split or join, and identifiers lost or gained."""

from identity.planning.corrections.profile_snapshot import SnapshotIdentifier
from identity.planning.corrections.rebuild import RebuiltProfiles, ReplayedEvidence, StoredProfiles
from identity.planning.corrections.rules_diff import MOST_PARTS, Example, RulesDiff, compare
from identity.planning.resolution.plan import Gained
from identity.planning.resolution.planner_state import Counters, Profile
from identity.values.calls import Identifier
from identity.values.ids import BlindIndex, ProfileId, SetKey
from identity.values.stamps import Micros, Stamp

NONE = Counters(types={}, live=[])


def profiles(roots: dict[bytes, bytes]) -> dict[ProfileId, Profile]:
    """An origin for each identifier, under the root that it has here."""
    return {
        ProfileId(key): Profile(
            id=ProfileId(key),
            created=Stamp(1),
            root=ProfileId(root),
            canonical=ProfileId(root),
            oldest_birth=Stamp(1),
            own=NONE,
            folded=NONE,
        )
        for key, root in roots.items()
    }


def compared(before: dict[bytes, bytes], after: dict[bytes, bytes]) -> RulesDiff:
    """Compare two partitions of identifiers, each given by the root of every identifier."""
    links = {
        BlindIndex(key): SnapshotIdentifier(
            key=BlindIndex(key),
            type="email",
            origin=ProfileId(key),
            retired=False,
            linked_at=Stamp(1),
            first_seen=Micros(0),
            last_seen=Micros(0),
            source=1,
        )
        for key in before
    }
    gained = {
        BlindIndex(key): Gained(
            Identifier("email", "", BlindIndex(key)), ProfileId(key), 1, Stamp(1), Micros(0), Micros(0)
        )
        for key in after
    }
    call = ReplayedEvidence(ProfileId(b"a"), [BlindIndex(b"a")], [(BlindIndex(b"b"), "limit:email")], SetKey(b""))
    refused = ReplayedEvidence(
        ProfileId(b"a"), [], [(BlindIndex(b"a"), "blocked"), (BlindIndex(b"b"), "limit:email")], SetKey(b"")
    )
    stored = StoredProfiles(
        profiles=profiles(before), links=links, documents={}, sightings={}, evidence={Stamp(1): call}, events={}
    )
    rebuilt = RebuiltProfiles(
        profiles=profiles(after), links=gained, documents={}, sightings={}, evidence={Stamp(1): refused}, events={}
    )
    return compare(stored, rebuilt)


def test_a_split_shows_its_parts() -> None:
    """The profiles are counted before and after."""
    diff = compared({b"a": b"a", b"b": b"a"}, {b"a": b"a", b"b": b"b"})

    assert (diff.profiles_before, diff.profiles_after, diff.profiles_split, diff.profiles_joined) == (1, 2, 1, 0)
    assert diff.examples == [Example("split", ProfileId(b"a"), [[BlindIndex(b"a")], [BlindIndex(b"b")]])]


def test_joined_profiles_are_shown_with_their_identifiers() -> None:
    """A profile of many parts shows some of them."""
    keys = [bytes((number,)) for number in range(20)]
    diff = compared({key: key for key in keys}, dict.fromkeys(keys, keys[0]))

    assert (diff.profiles_joined, diff.profiles_split) == (1, 0)
    assert len(diff.examples[0].parts) == MOST_PARTS


def test_lost_gained_and_demoted_identifiers_and_unresolved_calls_count() -> None:
    """A demotion that was there before is no difference."""
    diff = compared({b"a": b"a"}, {b"b": b"b"})

    assert (diff.identifiers_lost, diff.identifiers_gained) == (1, 1)
    assert (diff.identifiers_demoted, diff.reasons, diff.calls_unresolved) == (1, {"blocked": 1}, 1)


def test_the_differences_of_several_groups_add_up() -> None:
    """Counts, reasons and examples."""
    one = compared({b"a": b"a", b"b": b"a"}, {b"a": b"a", b"b": b"b"})
    both = one + one

    assert (both.profiles_split, both.reasons, len(both.examples)) == (2, {"blocked": 2}, 2)
