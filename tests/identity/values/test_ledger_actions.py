"""The words of the ledger never change, since journals hold them; an entry is found by how it begins."""

import msgspec
import pytest

from identity.store.ledger.ledger import entry
from identity.values.ledger_actions import KeyRolls, LedgerAction, PrivacyEntry, read_privacy_entry, starts
from identity.values.stamps import Micros

WORDS = (
    "space.create space.delete space.restored key.revoke keys.roll keys.rotate_index rules.put purposes.put"
    " identity_keys.put destination.create destination.put destination.rotate destination.delete destination.resume"
    " request erase erase.extend erase.cancel withhold.end suppress suppress.lift hold hold.release group.delete"
    " identifier.remove profile.unmerge consent.withdraw scan"
)


def test_the_words_of_the_ledger_never_change() -> None:
    """A journal of an older version keeps its meaning."""
    assert " ".join(LedgerAction) == WORDS


def test_an_entry_begins_with_its_action_and_with_no_other() -> None:
    """Also where the word of one action is the beginning of another."""
    for action in LedgerAction:
        _, raw = entry("key_1", action, None, Micros(5))
        assert [other for other in LedgerAction if raw.startswith(starts([other]))] == [action]


def _roll(epoch: int, safe_at: int | None) -> PrivacyEntry:
    return PrivacyEntry("keys.roll", epoch=epoch, safe_at=None if safe_at is None else Micros(safe_at))


def test_fields_that_an_entry_lacks_are_empty() -> None:
    """Each action has some of them, and a field that is not known is passed over."""
    found = read_privacy_entry(b'{"action":"erase","subject":"ers_1","keys":["00"],"stamp":3}')
    assert (found.subject, found.keys, found.informed, found.safe_at) == ("ers_1", ["00"], [], None)
    with pytest.raises(msgspec.DecodeError):
        read_privacy_entry(b'{"action":')


def test_the_first_roll_after_an_erasure_makes_backups_safe() -> None:
    """Not one before, a repeated one, or one of a release that did not say when; without keys there is none."""
    rolls = KeyRolls()
    for epoch, safe_at in ((2, 20), (3, None), (3, 30), (3, 31), (2, 21), (4, 40)):
        rolls.take(_roll(epoch, safe_at))
    assert [rolls.safe_at(epoch) for epoch in (1, 2, 3, 4, None)] == [20, 30, 40, None, None]
    assert PrivacyEntry("erase", epoch=2).destroyed_epoch is None
    assert PrivacyEntry("erase", epoch=2, keys=["00"]).destroyed_epoch == 2
