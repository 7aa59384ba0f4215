"""Profiles whose calls name common identifiers are rebuilt together, in batches that hold the space lock briefly."""

import pytest

from identity.operations.corrections.load_connected_profiles import AT_ONCE, ConnectedProfiles
from identity.values.ids import BlindIndex, ProfileId


def profile(nr: int) -> ProfileId:
    """A root."""
    return ProfileId(nr.to_bytes(16, "big"))


def key(name: str) -> BlindIndex:
    """An identifier."""
    return BlindIndex(name.encode().ljust(32))


def connected(*calls: tuple[int, str]) -> ConnectedProfiles:
    """Profiles with one call each, by the number of the profile and the identifiers that the call names."""
    found = ConnectedProfiles()
    for nr, named in calls:
        found.add(profile(nr), [key(name) for name in named])
    return found


def groups(found: ConnectedProfiles) -> list[list[ProfileId]]:
    """The groups of all batches."""
    return [group for batch in found.batches() for group in batch.groups]


def test_a_chain_of_common_identifiers_is_one_group() -> None:
    """Also where the first and the last profile have none in common, and where the middle came last."""
    found = connected((1, "a"), (3, "b"), (4, "c"), (2, "ab"))

    assert groups(found) == [[profile(1), profile(2), profile(3)], [profile(4)]]
    assert found.profiles == 4


def test_a_profile_without_identifiers_is_a_group_of_its_own() -> None:
    """Its calls may identify somebody under other rules."""
    assert groups(connected((1, ""), (2, ""))) == [[profile(1)], [profile(2)]]


@pytest.mark.parametrize(("last", "expected"), [(0, [2]), (1, [1, 1])])
def test_small_groups_share_a_batch_up_to_its_number_of_calls(last: int, expected: list[int]) -> None:
    """One call more opens a batch."""
    found = ConnectedProfiles()
    for nr, calls in ((1, AT_ONCE - 1), (2, 1 + last)):
        for _ in range(calls):
            found.add(profile(nr), [])

    assert [len(batch.groups) for batch in found.batches()] == expected


def test_a_large_group_is_whole_and_alone() -> None:
    """It is never cut, and the next group does not wait for it in the same transaction."""
    found = ConnectedProfiles()
    for nr in range(1, AT_ONCE + 2):
        found.add(profile(nr), [key("shared")])
    found.add(profile(AT_ONCE + 2), [])

    assert [len(batch.roots) for batch in found.batches()] == [AT_ONCE + 1, 1]
