"""What the entries of a journal suppress, erase and block: an oracle, forged entries, and repeated ones."""

from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.planning.integrity.suppressions_of_journal import suppressed_hashes
from identity.values.stamps import Micros
from identity.vault.keyring import Keyring
from identity.vault.space_keys import SpaceKeys
from identity.vault.vouching.journal_constraints import JournalConstraints
from identity.vault.vouching.ledger_entries import is_vouched_entry, vouch_for_entry

HASHES = [bytes([nr]) * 32 for nr in range(4)]
SUBJECTS = ["req_1", "ers_1", "ers_2"]
ENTRIES = st.builds(
    lambda action, subject, hashes, whole, lifted: {
        "action": action,
        "at": 7,
        "subject": subject,
        "hashes": [each.hex() for each in hashes],
        "whole": whole,
        "lifted": [each.hex() for each in lifted],
    },
    st.sampled_from(["suppress", "suppress.lift", "withhold.end", "erase"]),
    st.sampled_from(SUBJECTS),
    st.sets(st.sampled_from(HASHES)),
    st.booleans(),
    st.sets(st.sampled_from(HASHES)),
)


@pytest.fixture
def vouch(keyring: Keyring, space_id: bytes) -> Callable[[dict[str, object]], bytes]:
    """Makes entries of a space as Onefold does."""
    keys = keyring.space(space_id)
    return lambda entry: vouch_for_entry(keys, (Micros(7), msgspec.json.encode(entry)))[1]


@pytest.fixture
def keys(keyring: Keyring, space_id: bytes) -> SpaceKeys:
    """The keys of that space."""
    return keyring.space(space_id)


def after(keys: SpaceKeys, entries: Sequence[bytes]) -> JournalConstraints:
    """What these entries leave."""
    constraints = JournalConstraints(lambda entry: is_vouched_entry(keys, entry))
    for entry in entries:
        constraints.take(entry)
    return constraints


def test_genuine_entries_leave_what_the_audit_expects(
    keys: SpaceKeys, vouch: Callable[[dict[str, object]], bytes]
) -> None:
    """The audit reads the whole journal at once; both come to the same suppressions."""

    @given(st.lists(ENTRIES))
    def compare(entries: list[dict[str, object]]) -> None:
        made = [vouch({**entry, "nr": nr}) for nr, entry in enumerate(entries)]
        assert after(keys, made).suppressed == suppressed_hashes(made)
        # A journal that was replaced by a shorter one is read again from its beginning.
        assert after(keys, [*made, *made]).suppressed == suppressed_hashes(made)

    compare()


def test_no_forged_or_repeated_entry_ends_a_suppression(
    keys: SpaceKeys, vouch: Callable[[dict[str, object]], bytes]
) -> None:
    """A writer of the database appends entries without a MAC, and genuine ones again, in any order."""

    @given(st.lists(ENTRIES), st.lists(ENTRIES), st.data())
    def append(entries: list[dict[str, object]], forged: list[dict[str, object]], data: st.DataObject) -> None:
        genuine = [vouch({**entry, "nr": nr}) for nr, entry in enumerate(entries)]
        before = after(keys, genuine)
        unsigned = [msgspec.json.encode(entry) for entry in forged]
        repeated = data.draw(st.lists(st.sampled_from([*genuine, *unsigned]))) if genuine or unsigned else []
        found = after(keys, [*genuine, *repeated])
        assert found.suppressed >= before.suppressed
        assert found.erased == before.erased

    append()


def test_a_forged_block_counts_for_nothing(keys: SpaceKeys, vouch: Callable[[dict[str, object]], bytes]) -> None:
    """A block of the journal lasts for ever, so only Onefold makes one."""
    entry: dict[str, object] = {"action": "identifier.remove", "hashes": [HASHES[0].hex()], "blocked": ["00"]}
    assert after(keys, [msgspec.json.encode(entry)]).blocked == set()
    found = after(keys, [vouch(entry)])
    assert (found.blocked, found.blocked_keys) == ({HASHES[0]}, {b"\0"})
