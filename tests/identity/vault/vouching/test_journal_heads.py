"""The heads of a space: what genuine entries of its journal say is in force, in whatever order they come."""

import json
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.errors import LedgerBroken
from identity.values.ids import DestinationId, public
from identity.values.not_ready import DestinationPaused, RolledBack
from identity.values.stamps import Micros
from identity.vault.journal import Journal, JournalLine
from identity.vault.keyring import Keyring
from identity.vault.seal import DESTINATION, PURPOSES, RULES, SealPlace
from identity.vault.secret import Secret
from identity.vault.signing import Signer
from identity.vault.space_keys import SpaceKeys
from identity.vault.vouching.journal_heads import Heads, JournalHeads, _Entry, advance
from identity.vault.vouching.ledger_entries import vouch_for_entry

DST = DestinationId(b"d" * 16)
ACTIONS = {"rules.put": RULES, "purposes.put": PURPOSES, "destination.put": DESTINATION}


@pytest.fixture
def keys(keyring: Keyring, space_id: bytes) -> SpaceKeys:
    """The keys of a space."""
    return keyring.space(space_id)


def put(keys: SpaceKeys, action: str, version: int, *, sealed_at: int | None = None) -> _Entry:
    """An entry that puts a document in force; `sealed_at` is the version that the document opens at."""
    place: SealPlace = ACTIONS[action]
    row = DST if place is DESTINATION else keys.id
    sealed = keys.seal(place, row, version if sealed_at is None else sealed_at, b"{}")
    subject = public("dst", DST) if place is DESTINATION else str(version)
    return _Entry(action=action, subject=subject, version=version, document=b64encode(sealed).decode())


def versions(heads: Heads) -> tuple[int, int, int]:
    """The versions of rules, purposes and the destination."""
    return heads.rules, heads.purposes, heads.destinations.get(DST, 0)


def test_the_newest_document_counts_in_any_order(keys: SpaceKeys) -> None:
    """No entry, genuine or repeated, takes a head back."""
    entries = [put(keys, action, version) for action in ACTIONS for version in (1, 2, 3)]

    @given(st.lists(st.sampled_from(entries)))
    def grow(some: Sequence[_Entry]) -> None:
        heads = Heads()
        for entry in some:
            after = advance(heads, [entry], keys)
            assert all(new >= old for new, old in zip(versions(after), versions(heads), strict=True))
            heads = after
        for action, head in zip(ACTIONS, versions(heads), strict=True):
            numbers = [entry.version for entry in some if entry.action == action]
            assert head == max(numbers, default=0)

    grow()


@pytest.mark.parametrize("action", ACTIONS)
def test_a_forged_entry_raises_nothing(keys: SpaceKeys, action: str) -> None:
    """Attack 159: a writer of the database appends entries to the ledger, which Onefold copies into the journal."""
    genuine = put(keys, action, 3)
    forged: list[dict[str, Any]] = [
        {"document": None},
        {"document": "?"},
        {"document": "AAAA"},
        {"document": put(keys, action, 9, sealed_at=3).document},
        {"document": put(keys, "rules.put" if action != "rules.put" else "purposes.put", 9).document},
    ]
    for change in forged:
        subject = genuine.subject if action == "destination.put" else "9"
        entry = _Entry(**{"action": action, "subject": subject, "version": 9, **change})
        heads = advance(Heads(), [genuine, entry], keys)
        assert sorted(versions(heads)) == [0, 0, 3], change


def test_ends_are_for_good(keys: SpaceKeys) -> None:
    """A revoked key and an ended destination stay so, whatever the journal says later."""
    ended = [_Entry("key.revoke", "key_a"), _Entry("destination.delete", public("dst", DST))]
    heads = advance(Heads(), [*ended, _Entry("key.create", "key_a"), put(keys, "destination.put", 4)], keys)
    assert heads.revoked == {"key_a"}
    with pytest.raises(RolledBack):
        heads.require_destination(DST, 4)
    heads.require_destination(b"e" * 16, 0)


def test_a_row_that_is_newer_than_the_journal_is_taken() -> None:
    """It was changed a moment ago; one that is older is refused."""
    heads = Heads(rules=2, purposes=2, destinations={DST: 2})
    for version in (2, 3):
        heads.require_rules(version)
        heads.require_purposes(version)
        heads.require_destination(DST, version)
    for require in (heads.require_rules, heads.require_purposes, lambda nr: heads.require_destination(DST, nr)):
        with pytest.raises(RolledBack):
            require(1)


def test_each_reading_goes_on_where_the_last_one_ended(keys: SpaceKeys, tmp_path: Path) -> None:
    """Entries of other kinds are passed over, and a journal that was replaced by a shorter one is read anew."""

    def line(number: int, entry: dict[str, Any]) -> JournalLine:
        text = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()
        return JournalLine(number, Micros(number), text, bytes((number,)) * 32)

    def journal(name: str) -> Journal:
        (tmp_path / name).mkdir()
        return Journal(tmp_path / name, b"j" * 16, Signer([Secret(b"s" * 32)]))

    first = journal("first")
    reader = JournalHeads(keys, first)
    reader.read()
    assert reader.current == Heads()
    first.append(0, [line(1, {"action": "key.revoke", "subject": "key_a"}), line(2, {"action": "read"})])
    reader.read()
    assert reader.current.revoked == {"key_a"}
    before = reader.current
    first.append(2, [line(3, {"action": "export", "subject": "key.revoke"})])
    reader.read()
    assert reader.current is before
    second = journal("second")
    second.append(0, [line(1, {"action": "key.revoke", "subject": "key_b"})])
    reader._journal = second
    reader.read()
    assert reader.current.revoked == {"key_a", "key_b"}


def test_attack_185_only_an_administrator_ends_the_pause_of_a_restore(keys: SpaceKeys, tmp_path: Path) -> None:
    """A forged or a repeated entry ends no pause; the entry of an administrator ends that of one restore only."""
    journal = Journal(tmp_path, b"j" * 16, Signer([Secret(b"s" * 32)]))
    heads = JournalHeads(keys, journal)
    created = put(keys, "destination.put", 1)
    numbers = iter(range(1, 99))

    def after(entry: bytes) -> bool:
        number = next(numbers)
        journal.append(number - 1, [JournalLine(number, Micros(number), entry, bytes((number,)) * 32)])
        heads.read()
        return heads.current.is_paused(DST)

    def entry(action: str, **more: Any) -> bytes:
        fields = {"action": action, "subject": public("dst", DST), **more}
        return json.dumps(fields, separators=(",", ":")).encode()

    made = entry("destination.create", version=1, document=created.document)
    assert not after(made)
    assert after(entry("space.restored", restore="a"))
    resumed = entry("destination.resume", restore="a")
    assert after(resumed)
    assert after(made)
    genuine = vouch_for_entry(keys, (Micros(1), resumed))[1]
    assert not after(genuine)
    assert after(entry("space.restored", restore="b"))
    assert after(genuine)
    assert after(vouch_for_entry(keys, (Micros(1), entry("destination.resume", restore=None)))[1])
    with pytest.raises(DestinationPaused):
        heads.current.require_resumed(DST)
    assert not after(vouch_for_entry(keys, (Micros(1), entry("destination.resume", restore="b")))[1])


def test_a_destination_that_is_created_after_a_restore_is_not_paused(keys: SpaceKeys) -> None:
    """Its administrator stated its policy a moment ago."""
    document = put(keys, "destination.put", 1)
    created = _Entry("destination.create", document.subject, 1, document.document)
    entries = [_Entry("space.restored", restore="a"), created]
    assert not advance(Heads(), entries, keys).is_paused(DST)
    assert advance(Heads(), entries[::-1], keys).is_paused(DST)


def test_a_hold_lacks_an_index_until_its_release(keys: SpaceKeys) -> None:
    """After a rotation of the index key their number counts; a repeated entry places no released hold again."""
    ann, bob, other = (bytes((number,)) * 32 for number in (1, 2, 3))
    placed = _Entry("hold", "hld_a", indexes=[ann.hex(), bob.hex()])
    heads = advance(Heads(), [placed], keys)
    both = frozenset({ann, bob})
    for found, lost in (
        (both, False), (both | {other}, False), (frozenset({ann, other}), True), (frozenset({ann}), True)
    ):  # fmt: skip
        assert heads.lost_holds({"hld_a": found}) == (["hld_a"] if lost else []), found
    assert heads.lost_holds({"hld_b": both}) == ["hld_a"]

    rotated = advance(heads, [_Entry("keys.rotate_index")], keys)
    assert rotated.lost_holds({"hld_a": frozenset({ann, other})}) == []
    assert rotated.lost_holds({"hld_a": frozenset({other})}) == ["hld_a"]
    for released in ([_Entry("hold.release", "hld_a")], [_Entry("hold.release", "hld_a"), placed]):
        assert advance(heads, released, keys).lost_holds({}) == []


def test_an_entry_that_cannot_be_read_is_never_passed_over(keys: SpaceKeys, tmp_path: Path) -> None:
    """Each reading refuses the journal, not the first alone."""
    journal = Journal(tmp_path, b"j" * 16, Signer([Secret(b"s" * 32)]))
    heads = JournalHeads(keys, journal)
    journal.append(0, [JournalLine(1, Micros(1), b'{"action":"key.revoke","subject":5}', b"1" * 32)])
    for _ in range(2):
        with pytest.raises(LedgerBroken):
            heads.read()
