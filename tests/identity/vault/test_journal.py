"""The journal of a space: what its signed head names is on disk, and anything else is no journal."""

import os
from pathlib import Path

import pytest

from identity.values.errors import KeyUnavailable, LedgerBroken
from identity.values.stamps import Micros
from identity.vault.journal import HEAD, JOURNAL, Journal, JournalLine
from identity.vault.secret import Secret
from identity.vault.signing import Signer

LINES = [JournalLine(nr, Micros(nr * 10), b'{"n":%d}' % nr, bytes((nr,)) * 32) for nr in (1, 2, 3)]
SIGNER = Signer([Secret(b"s" * 32)])


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """An empty journal in a folder of its own."""
    return Journal(tmp_path, b"j" * 16, SIGNER)


def test_entries_are_read_back_in_their_order(journal: Journal) -> None:
    """From any number on; an entry that is there already is not written again."""
    assert journal.last() is None
    journal.append(0, LINES[:2])
    journal.append(1, LINES[1:])

    assert journal.last() == (3, LINES[2].hash)
    assert list(journal.after(0)) == LINES
    assert list(journal.after(2)) == LINES[2:]


def test_a_line_that_a_crash_tore_is_cut_off(journal: Journal, tmp_path: Path) -> None:
    """It is not read, and the next entry takes its place."""
    journal.append(0, LINES[:1])
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b"2 20 ff")

    assert list(journal.after(0)) == LINES[:1]
    journal.append(1, LINES[1:])
    assert list(journal.after(0)) == LINES


@pytest.mark.parametrize("after", [2, 3])
def test_a_gap_or_a_fork_is_refused(journal: Journal, after: int) -> None:
    """Nothing is written."""
    journal.append(0, LINES[:1])
    fork = LINES[0]._replace(hash=b"x" * 32)
    with pytest.raises(LedgerBroken):
        journal.append(after, LINES[after - 1 :]) if after == 3 else journal.append(1, [fork, LINES[1]])

    assert journal.last() == (1, LINES[0].hash)


def test_a_head_of_another_deployment_or_space_is_no_head(journal: Journal, tmp_path: Path) -> None:
    """Nor one that was altered, nor one that names more than the file holds."""
    journal.append(0, LINES)
    for other in (Journal(tmp_path, b"k" * 16, SIGNER), Journal(tmp_path, b"j" * 16, Signer([Secret(b"t" * 32)]))):
        with pytest.raises(LedgerBroken):
            other.last()
    head = (tmp_path / HEAD).read_bytes()
    for damaged in (head.replace(b'"seq":3', b'"seq":2'), b"{}", b""):
        (tmp_path / HEAD).write_bytes(damaged)
        with pytest.raises(LedgerBroken):
            journal.last()
    (tmp_path / HEAD).write_bytes(head)
    (tmp_path / JOURNAL).write_bytes(b"")
    with pytest.raises(LedgerBroken):
        journal.last()


def test_a_folder_that_is_not_there_is_a_missing_key(tmp_path: Path) -> None:
    """Not an empty journal: the key store may be on a disk that is not mounted."""
    journal = Journal(tmp_path / "gone", b"j" * 16, SIGNER)
    with pytest.raises(KeyUnavailable):
        journal.last()
    with pytest.raises(KeyUnavailable):
        journal.append(0, LINES)


def test_a_head_is_verified_anew_only_where_its_file_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process reads the heads of all its spaces every few seconds; a forged head is refused as ever."""
    journal = Journal(tmp_path, b"j" * 16, SIGNER)
    verified: list[bytes] = []
    genuine = Signer.verified

    def counted(signer: Signer, kid: str, message: bytes, signature: bytes) -> bool:
        verified.append(message)
        return genuine(signer, kid, message, signature)

    monkeypatch.setattr(Signer, "verified", counted)
    journal.append(0, LINES[:1])
    entries, offset = journal.since(0)
    assert (len(entries), journal.since(offset), journal.since(offset)) == (1, ([], offset), ([], offset))
    assert len(verified) == 1

    journal.append(1, LINES[1:])
    assert len(journal.since(offset)[0]) == 2
    assert len(verified) > 1
    forged = (tmp_path / HEAD).read_bytes().replace(b'"seq":3', b'"seq":4')
    (tmp_path / HEAD).write_bytes(forged)
    with pytest.raises(LedgerBroken):
        journal.since(offset)


def test_a_journal_that_lost_its_end_is_refused_by_who_has_read_it_all(journal: Journal, tmp_path: Path) -> None:
    """The signed head names more bytes than the file has."""
    journal.append(0, LINES)
    _, offset = journal.since(0)
    os.truncate(tmp_path / JOURNAL, offset - 1)
    with pytest.raises(LedgerBroken):
        journal.since(offset)
