"""Dumps of key tables: read whole or not at all."""

import hashlib
from pathlib import Path

import pytest

from identity.values.errors import SealBroken
from identity.vault import key_dumps
from identity.vault.key_dumps import Dump, Head, packed, packed_subjects
from identity.vault.key_material import WRAPPED_BYTES

SLOTS = [(1, b"s" * WRAPPED_BYTES), (4095, b"t" * WRAPPED_BYTES)]
SUBJECTS = [(bytes((nr,)) * 16, nr, b"k" * 16, b"w" * WRAPPED_BYTES) for nr in range(5)]
HEAD = Head(space=b"p" * 16, epoch=7, slots=2, subjects=5)


def written(path: Path) -> bytes:
    """A dump in a file, and its bytes."""
    body = packed(HEAD, SLOTS) + packed_subjects(SUBJECTS)
    path.write_bytes(body + hashlib.sha256(body).digest())
    return path.read_bytes()


def test_a_dump_is_read_back_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its head and all keys."""
    monkeypatch.setattr(key_dumps, "PAGE", 2)
    written(tmp_path / "dump")
    dump = Dump(tmp_path / "dump")

    assert (dump.head, dump.slots) == (HEAD, SLOTS)
    pages = list(dump.subjects())
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [subject for page in pages for subject in page] == SUBJECTS


def test_a_dump_that_is_cut_altered_or_longer_is_refused(tmp_path: Path) -> None:
    """No key of it is used."""
    path = tmp_path / "dump"
    whole = written(path)
    for at in (0, 20, 40, 100, len(whole) - 1):
        path.write_bytes(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :])
        with pytest.raises(SealBroken):
            Dump(path)
    for damaged in (whole[:-1], whole + b"x", b""):
        path.write_bytes(damaged)
        with pytest.raises(SealBroken):
            Dump(path)
