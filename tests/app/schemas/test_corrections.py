"""A correction as the API answers it: an unmerge names both sides, a removal the profile that had the identifier."""

from app.schemas.corrections import parted, removed
from identity.operations.corrections.remove_identifier import RemovedIdentifier
from identity.operations.corrections.unmerge_profile import UnmergedProfiles
from identity.values.ids import ProfileId

ONE, OTHER = ProfileId(b"1" * 16), ProfileId(b"2" * 16)


def test_both_sides_of_an_unmerge_are_named() -> None:
    """First the one that has the identifiers now."""
    shown = parted(UnmergedProfiles(profile_id=ONE, remaining_profile_id=OTHER))

    assert (shown.profile_id, shown.remaining_profile_id) == ("prf_" + "31" * 16, "prf_" + "32" * 16)


def test_a_removal_that_found_nobody_names_no_profile() -> None:
    """The value may be blocked all the same."""
    found, nobody = removed(RemovedIdentifier(ONE, blocked=False)), removed(RemovedIdentifier(None, blocked=True))

    assert (found.profile_id, found.found, found.blocked) == ("prf_" + "31" * 16, True, False)
    assert (nobody.profile_id, nobody.found, nobody.blocked) == (None, False, True)
