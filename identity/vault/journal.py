"""The journal of a space: an exact copy of its ledger, outside the database, with a signed head.

    journal        a line per entry: number, time, hash in hex, entry
    journal-head   {"at", "hash", "kid", "seq", "sig", "size", "space", "v"}
    journal-vouched   the number of the last entry from before Onefold vouched for entries; written once

Invariants: what the head names is on disk before the head is; a line that a crash tore is cut off by
the next append; nothing before it ever changes. A head that is not signed by this deployment,
or names more than the file holds, is no head: LedgerBroken.
"""

import os
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from identity.values.errors import KeyUnavailable, LedgerBroken
from identity.values.stamps import Micros
from identity.vault import durable_files
from identity.vault.signing import Signer, text

JOURNAL, HEAD, VOUCHED = "journal", "journal-head", "journal-vouched"
_PARTS = 3


class JournalLine(NamedTuple):
    """An entry of a ledger: its number, time (microseconds), bytes, and hash with all before it."""

    seq: int
    at: Micros
    entry: bytes
    hash: bytes


class _Head(msgspec.Struct, frozen=True):
    space: str
    seq: int
    hash: str
    at: Micros
    size: int
    kid: str = ""
    sig: str = ""
    v: int = 1

    def signed(self) -> bytes:
        """What the signature is over."""
        unsigned = msgspec.structs.replace(self, sig="")
        return msgspec.json.encode(unsigned, order="sorted")


class Journal:
    """The journal in the key store's directory of a space. Safe to use from several threads and processes.

    Every method raises KeyUnavailable where the directory cannot be read or written.
    """

    def __init__(self, directory: Path, space: bytes, signer: Signer) -> None:
        self._directory = directory
        self._space = space.hex()
        self._signer = signer
        self._verified: tuple[bytes, _Head] | None = None

    def last(self) -> tuple[int, bytes] | None:
        """The number and hash of the last entry; None where nothing was ever written. LedgerBroken."""
        try:
            head = self._head()
            if head is not None and (self._directory / JOURNAL).stat().st_size < head.size:
                raise LedgerBroken
        except FileNotFoundError as error:
            if not self._directory.is_dir():
                raise KeyUnavailable from error
            raise LedgerBroken from error
        except OSError as error:
            raise KeyUnavailable from error
        return None if head is None else (head.seq, bytes.fromhex(head.hash))

    def vouched_after(self) -> int:
        """The number of the last entry from before Onefold vouched for entries; recorded at the first call."""
        path = self._directory / VOUCHED
        try:
            if not path.exists():
                with durable_files.exclusive(self._directory):
                    if not path.exists():
                        head = self._head()
                        durable_files.publish(path, b"%d" % (0 if head is None else head.seq))
            return int(path.read_bytes())
        except ValueError as error:
            raise LedgerBroken from error
        except OSError as error:
            raise KeyUnavailable from error

    def append(self, after: int, lines: Sequence[JournalLine]) -> None:
        """Adds the entries after a number, as far as they are not there yet. LedgerBroken where it forks."""
        try:
            with durable_files.exclusive(self._directory):
                head = self._head() or _Head(space=self._space, seq=0, hash="", at=Micros(0), size=0)
                if head.seq < after:
                    raise LedgerBroken
                for line in lines:
                    if line.seq == head.seq and line.hash.hex() != head.hash:
                        raise LedgerBroken
                new = [line for line in lines if line.seq > head.seq]
                if new:
                    size = self._write(head.size, new)
                    last = new[-1]
                    made = _Head(
                        space=self._space,
                        seq=last.seq,
                        hash=last.hash.hex(),
                        at=last.at,
                        size=size,
                        kid=self._signer.kid,
                    )
                    signed = msgspec.structs.replace(made, sig=text(self._signer.sign(made.signed())))
                    durable_files.replace(self._directory / HEAD, [msgspec.json.encode(signed, order="sorted")])
        except OSError as error:
            raise KeyUnavailable from error

    def after(self, seq: int) -> Iterator[JournalLine]:
        """The entries after a number, up to the signed head."""
        head = self._head()
        if head is None:
            return
        try:
            with (self._directory / JOURNAL).open("rb") as file:
                left = head.size
                for raw in file:
                    left -= len(raw)
                    if left < 0:
                        return
                    number, at, hash_, entry = raw.rstrip(b"\n").split(b" ", _PARTS)
                    if int(number) > seq:
                        yield JournalLine(int(number), Micros(int(at)), entry, bytes.fromhex(hash_.decode()))
        except (ValueError, FileNotFoundError) as error:
            raise LedgerBroken from error
        except OSError as error:
            raise KeyUnavailable from error

    def since(self, offset: int) -> tuple[list[bytes], int]:
        """The entries from a position in the file on, and the position after them; 0 is the beginning.

        A position beyond the signed head is of a longer journal, which this one replaced: all entries are read.
        """
        head = self._head()
        if head is None:
            return [], 0
        if offset > head.size:
            offset = 0
        try:
            if (self._directory / JOURNAL).stat().st_size < head.size:
                raise LedgerBroken
            if offset == head.size:
                return [], offset
            with (self._directory / JOURNAL).open("rb") as file:
                file.seek(offset)
                text = file.read(head.size - offset)
        except FileNotFoundError as error:
            raise LedgerBroken from error
        except OSError as error:
            raise KeyUnavailable from error
        if len(text) != head.size - offset:
            raise LedgerBroken
        return [line.split(b" ", _PARTS)[-1] for line in text.splitlines()], head.size

    def _head(self) -> _Head | None:
        try:
            raw = (self._directory / HEAD).read_bytes()
        except FileNotFoundError:
            if not self._directory.is_dir():
                raise
            return None
        # Each second of a process reads the heads of many spaces that have not changed.
        if self._verified and self._verified[0] == raw:
            return self._verified[1]
        try:
            head = msgspec.json.decode(raw, type=_Head)
            signature = urlsafe_b64decode(head.sig + "=" * (-len(head.sig) % 4))
        except (msgspec.DecodeError, ValueError) as error:
            raise LedgerBroken from error
        if head.space != self._space or not self._signer.verified(head.kid, head.signed(), signature):
            raise LedgerBroken
        self._verified = raw, head
        return head

    def _write(self, size: int, lines: Sequence[JournalLine]) -> int:
        path = self._directory / JOURNAL
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, durable_files.FILE_MODE), "r+b") as file:
            file.truncate(size)
            file.seek(size)
            for line in lines:
                file.write(b"%d %d %s %s\n" % (line.seq, line.at, line.hash.hex().encode(), line.entry))
            file.flush()
            os.fsync(file.fileno())
            grown = file.tell()
        durable_files.sync_directory(self._directory)
        return grown
