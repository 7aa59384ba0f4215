"""The key store: a directory outside Postgres that holds the wrapped keys of every space.

Invariants: a space or an epoch is there whole or not at all, whatever crashed; nothing is ever
overwritten by something else; what was destroyed does not come back; the store belongs to one
root. It moves wrapped bytes only and cannot open them. Kept apart from the database because
deleting a row does not delete it from WAL and backups, and deleting a file here does.

    vouched                empty; see `vouching.mark`
    store                  {"format": 1, "store_id": ..., "root": check value, ...}; held while in use
    signing-<n>            the deployment's own, for what others have to be able to check
    <hex of space id>/     epoch-<n>  index-<n>  suppression-1  document-1  dump-<n>
                           journal  journal-head  journal-vouched

Once the root was rotated, the names of wrapped keys end with the mark of their root, which the label
names: so keys under two roots lie side by side, and the label alone decides (`root_rotation`).
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import msgspec

from identity.values.errors import KeyUnavailable, Misconfigured
from identity.vault import durable_files
from identity.vault.key_material import checked_id
from identity.vault.root_keys import Root

FORMAT = 1
EPOCH = "epoch-"
INDEX = "index-"
DUMP = "dump-"
SIGNING = "signing-"
LABEL = "store"
MARK = "~"
"""The first character of the mark of a root."""

MISSING = (
    "There is no key store in the configured directory. Restore it from its backup: without it the "
    "stored data cannot be read. A new one is made only for a new database."
)
EXISTS = "The directory for a new key store is not empty; a key store is never overwritten."
UNREADABLE = "The key store cannot be read or written; check its owner and the path."
DAMAGED = "The key store's own file is damaged; restore the key store from its backup."
OPEN_TO_OTHERS = "The key store can be entered by others; run chmod 700 on the directory."
OTHER_ROOT = (
    "The root key is not the one this key store was made with. Configure the root key and the key "
    "store that belong together; nothing was written."
)
DESTROYED = "A key that was destroyed is never made again; use a newer one."
ROTATING = "The root key is being rotated; start again once that is done."


class Label(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The label of a store: its root, the mark of the files under that root, and the roots it had before.

    `left` is the mark of files that a rotation has not destroyed yet.
    """

    store_id: uuid.UUID
    root: str
    format: int = FORMAT
    mark: str = ""
    former: Sequence[str] = ()
    left: str | None = None


class KeyStore:
    """An opened key store. `store_id` names it, `root_id` the root it belongs to.

    Every method raises KeyUnavailable when the directory cannot be read or written. Safe to use
    from several threads and processes.
    """

    def __init__(self, directory: Path, label: Label) -> None:
        self._directory = self.root_directory = directory
        self._mark = label.mark
        self.store_id = str(label.store_id)
        self.root_id = label.root
        self.former = frozenset(label.former)
        try:
            self._use = durable_files.Hold(directory / LABEL, alone=False)
        except BlockingIOError:
            raise Misconfigured(ROTATING) from None

    @classmethod
    def create(cls, directory: Path, root: Root) -> Self:
        """Make a new store for this root in a missing or empty directory; Misconfigured otherwise."""
        label = Label(store_id=uuid.uuid4(), root=root.id)
        try:
            durable_files.make_directory(directory)
            with durable_files.exclusive(directory):
                if any(not path.name.startswith(durable_files.UNFINISHED) for path in directory.iterdir()):
                    raise Misconfigured(EXISTS)
                directory.chmod(durable_files.DIRECTORY_MODE)
                durable_files.publish(directory / LABEL, msgspec.json.encode(label))
            return cls(directory, label)
        except OSError as error:
            raise Misconfigured(UNREADABLE) from error

    @classmethod
    def open(cls, directory: Path, root: Root) -> Self:
        """Open a store; Misconfigured if it is missing, damaged, not private or of another root."""
        label = checked_label(directory)
        if not durable_files.private(directory):
            raise Misconfigured(OPEN_TO_OTHERS)
        if label.root != root.id:
            raise Misconfigured(OTHER_ROOT)
        try:
            store = cls(directory, label)
            store.finish()
        except (KeyUnavailable, OSError) as error:
            raise Misconfigured(UNREADABLE) from error
        return store

    def close(self) -> None:
        """Let go of the store: from then on its root can be rotated."""
        self._use.close()

    def check(self) -> None:
        """Raise KeyUnavailable unless the store is there: an unmounted volume leaves an empty directory behind."""
        try:
            self._check()
        except (OSError, msgspec.DecodeError):
            raise KeyUnavailable from None

    def finish(self) -> None:
        """Finish what a crash interrupted: shred spaces that were being made or destroyed."""
        with self._changing():
            for path in list(self._directory.iterdir()):
                if path.name.startswith((durable_files.UNFINISHED, durable_files.DOOMED)):
                    durable_files.shred_directory(path) if path.is_dir() else durable_files.shred(path)

    def create_space(self, space: bytes, keys: Mapping[str, bytes]) -> bool:
        """Store a space's wrapped keys, by file name, all or none; False if the space is there."""
        final = self._path(space)
        with self._changing():
            if final.exists():
                # The process that made it may have been killed before it was on disk.
                durable_files.sync_directory(self._directory)
                return False
            unfinished = final.with_name(durable_files.UNFINISHED + final.name)
            durable_files.shred_directory(unfinished)
            durable_files.make_directory(unfinished)
            for name, wrapped in keys.items():
                durable_files.create(unfinished / (name + self._mark), wrapped)
            durable_files.sync_directory(unfinished)
            unfinished.rename(final)
            durable_files.sync_directory(self._directory)
            return True

    def read(self, space: bytes, name: str) -> bytes:
        """Return one wrapped key."""
        with _unavailable():
            return (self._path(space) / (name + self._mark)).read_bytes()

    def numbers(self, space: bytes, kind: str) -> list[int]:
        """Return the numbers of a space's keys of a kind (EPOCH, INDEX), ascending."""
        with _unavailable():
            names = [path.name for path in self._path(space).iterdir()]
        ours = (name.removesuffix(self._mark) for name in names if name.startswith(kind))
        return sorted(int(name.removeprefix(kind)) for name in ours if name.removeprefix(kind).isdecimal())

    def add(self, space: bytes, kind: str, number: int, wrapped: bytes) -> bool:
        """Store a key of a kind; False if it is there. KeyUnavailable if a newer one is."""
        directory = self._path(space)
        with self._changing():
            numbers = self.numbers(space, kind)
            if number in numbers:
                durable_files.sync_directory(directory)
                return False
            if any(number < other for other in numbers):
                raise KeyUnavailable(DESTROYED)
            durable_files.publish(directory / f"{kind}{number}{self._mark}", wrapped)
            return True

    def destroy(self, space: bytes, kind: str, number: int) -> None:
        """Destroy a key of a kind under every root, with what a crash left of its making."""
        directory = self._path(space)
        with self._changing():
            if not directory.is_dir():
                return
            for path in list(directory.iterdir()):
                if path.name.removeprefix(durable_files.UNFINISHED).partition(MARK)[0] == f"{kind}{number}":
                    durable_files.shred(path)
            durable_files.sync_directory(directory)

    def add_dump(self, space: bytes, epoch: int, chunks: Iterable[bytes]) -> Path:
        """Store a dump of the key tables under an epoch, in the place of an older one of that epoch.

        The last chunk is the digest that the dump ends with. On disk on return.
        """
        path = self._path(space) / f"{DUMP}{epoch}"
        with self._changing():
            durable_files.replace(path, chunks)
        return path

    def dumps(self, space: bytes) -> list[tuple[int, Path]]:
        """Return (epoch, file) of the dumps of a space, the newest first."""
        with _unavailable():
            paths = [path for path in self._path(space).iterdir() if path.name.startswith(DUMP)]
        return sorted(((int(path.name.removeprefix(DUMP)), path) for path in paths), reverse=True)

    def destroy_dumps(self, space: bytes, before: int) -> None:
        """Destroy the dumps of epochs before this one."""
        with self._changing():
            for epoch, path in self.dumps(space):
                if epoch < before:
                    durable_files.shred(path)
            durable_files.sync_directory(self._path(space))

    def spaces(self) -> set[bytes]:
        """Return the ids of the spaces that have keys here."""
        with _unavailable():
            return {bytes.fromhex(path.name) for path in self._directory.glob("[0-9a-f]" * 32)}

    def directory(self, space: bytes) -> Path:
        """Return the directory of the keys and the journal of a space."""
        return self._path(space)

    def signing(self) -> list[bytes]:
        """Return the wrapped signing keys of the deployment, the oldest first."""
        with _unavailable():
            found = [(path.name.removesuffix(self._mark), path) for path in self._directory.iterdir()]
            ours = [(name.removeprefix(SIGNING), path) for name, path in found if name.startswith(SIGNING)]
            return [path.read_bytes() for _, path in sorted((int(nr), path) for nr, path in ours if nr.isdecimal())]

    def add_signing(self, number: int, wrapped: bytes) -> None:
        """Store a signing key, unless one of this number exists."""
        with self._changing():
            path = self._directory / f"{SIGNING}{number}{self._mark}"
            if not path.exists():
                durable_files.publish(path, wrapped)

    def destroy_space(self, space: bytes) -> None:
        """Destroy all keys of a space; again is no error, and a crash in between is made good."""
        final = self._path(space)
        doomed = final.with_name(durable_files.DOOMED + final.name)
        with self._changing():
            durable_files.shred_directory(doomed)
            if final.exists():
                final.rename(doomed)
                durable_files.sync_directory(self._directory)
                durable_files.shred_directory(doomed)

    def _path(self, space: bytes) -> Path:
        return self._directory / checked_id(space).hex()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with _unavailable(), durable_files.exclusive(self._directory):
            # An unmounted volume leaves an empty directory behind, in which every key would
            # look destroyed.
            self._check()
            yield

    def _check(self) -> None:
        label = read_label(self._directory)
        if (str(label.store_id), label.root) != (self.store_id, self.root_id):
            raise KeyUnavailable


def read_label(directory: Path) -> Label:
    """Return the label of the store in a directory; OSError, DecodeError."""
    return msgspec.json.decode((directory / LABEL).read_bytes(), type=Label)


def checked_label(directory: Path) -> Label:
    """Return the label of the store in a directory; Misconfigured if it is missing or damaged."""
    try:
        label = read_label(directory)
    except FileNotFoundError:
        raise Misconfigured(MISSING) from None
    except OSError as error:
        raise Misconfigured(UNREADABLE) from error
    except msgspec.DecodeError:
        raise Misconfigured(DAMAGED) from None
    if label.format != FORMAT:
        raise Misconfigured(DAMAGED)
    return label


def epochs_in(directory: Path, space: bytes) -> set[int] | None:
    """Return the epochs that a key store holds for a space, read without its root; None if there is no key store."""
    if not (directory / LABEL).exists():
        return None
    with _unavailable():
        folder = directory / checked_id(space).hex()
        names = [path.name.partition(MARK)[0] for path in folder.iterdir()] if folder.is_dir() else []
    return {int(name.removeprefix(EPOCH)) for name in names if name.removeprefix(EPOCH).isdecimal()}


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except (OSError, msgspec.DecodeError) as error:
        raise KeyUnavailable from error
