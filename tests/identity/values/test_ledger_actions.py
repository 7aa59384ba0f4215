"""The words of the ledger never change, since journals hold them; an entry is found by how it begins."""

from identity.store.ledger.ledger import entry
from identity.values.ledger_actions import LedgerAction, starts
from identity.values.stamps import Micros

WORDS = (
    "space.create space.delete space.restored key.revoke keys.roll keys.rotate_index rules.put purposes.put"
    " identity_keys.put destination.create destination.put destination.rotate destination.delete destination.resume"
    " request erase erase.extend erase.cancel withhold.end suppress suppress.lift hold hold.release group.delete"
    " identifier.remove consent.withdraw scan"
)


def test_the_words_of_the_ledger_never_change() -> None:
    """A journal of an older version keeps its meaning."""
    assert " ".join(LedgerAction) == WORDS


def test_an_entry_begins_with_its_action_and_with_no_other() -> None:
    """Also where the word of one action is the beginning of another."""
    for action in LedgerAction:
        _, raw = entry("key_1", action, None, Micros(5))
        assert [other for other in LedgerAction if raw.startswith(starts([other]))] == [action]
